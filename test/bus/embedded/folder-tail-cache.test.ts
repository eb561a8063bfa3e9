import { describe, expect, it } from 'vitest';
import { TailCache } from '../../../src/bus/embedded/folder-tail-cache.ts';
import type { Message } from '../../../src/core/message.ts';
import { messageOf } from '../../../src/testing/index.ts';

const run = (from: number, count: number, payload = ''): Message[] =>
  Array.from({ length: count }, (_, i) => messageOf({ offset: from + i, payload }));
const offsets = (messages: readonly Message[] | undefined): number[] | undefined =>
  messages?.map(({ offset }) => offset);

describe('the newest messages in memory', () => {
  it('are read from any offset that is there', () => {
    const tail = new TailCache(1e6, 1000).tail();
    expect(tail.read(0, 10)).toBeUndefined();
    tail.add(run(100, 5));
    tail.add(run(105, 1));
    expect(offsets(tail.read(100, 3))).toEqual([100, 101, 102]);
    expect(offsets(tail.read(104, 10))).toEqual([104, 105]);
    expect([tail.read(99, 1), tail.read(106, 1)]).toEqual([undefined, undefined]);
  });

  it('are bounded in number over all partitions, the oldest going first', () => {
    const cache = new TailCache(1e9, 100);
    const [a, b] = [cache.tail(), cache.tail()];
    a.add(run(0, 60));
    b.add(run(0, 30));
    a.add(run(60, 30));
    expect(cache.messages).toBeLessThanOrEqual(100);
    expect(offsets(a.read(60, 1))).toEqual([60]);
    expect(a.read(59, 1)).toBeUndefined();
    expect(offsets(b.read(0, 1))).toEqual([0]);
  });

  it('are bounded in bytes, and what is larger than the bound is not kept at all', () => {
    const cache = new TailCache(10_000, 1e9);
    const tail = cache.tail();
    for (let at = 0; at < 1000; at++) {
      tail.add(run(at, 1, 'x'.repeat(100)));
      expect(cache.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(cache.messages).toBeLessThan(30);
    tail.add(run(1000, 1, 'x'.repeat(20_000)));
    expect([cache.bytes, cache.messages, tail.read(1000, 1)]).toEqual([0, 0, undefined]);
  });

  it('count again after everything was forgotten', () => {
    const cache = new TailCache(1e9, 50);
    const tail = cache.tail();
    tail.add(run(0, 40));
    tail.clear();
    expect([cache.bytes, cache.messages, tail.read(0, 1)]).toEqual([0, 0, undefined]);
    tail.add(run(40, 40));
    expect(offsets(tail.read(40, 1))).toEqual([40]);
    tail.add(run(80, 30));
    expect([cache.messages, tail.read(79, 1)]).toEqual([30, undefined]);
    expect(offsets(tail.read(80, 1))).toEqual([80]);
  });
});
