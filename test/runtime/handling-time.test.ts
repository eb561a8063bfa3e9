import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/message.ts';
import { HandlingTime } from '../../src/runtime/handling-time.ts';
import { messageOf } from '../../src/testing/index.ts';

const at = (offset: number, partition = 0): Message => messageOf({ topic: 't', partition, offset });

/** A handling time whose clock stands where it is set, ms. */
function timed(): { readonly handling: HandlingTime; readonly clock: { now: number } } {
  const clock = { now: 0 };
  return { handling: new HandlingTime(() => clock.now), clock };
}

const upTo = (handling: HandlingTime, le: string): number | undefined =>
  handling.buckets.cumulative.find(([bound]) => bound === le)?.[1];

describe('HandlingTime', () => {
  it('times every message until all up to it is settled', () => {
    const { handling, clock } = timed();
    for (const offset of [0, 1, 5]) handling.delivered(at(offset));
    clock.now = 2;
    handling.settled('t', 0, 2);
    clock.now = 400;
    handling.settled('t', 0, 6);
    expect([
      upTo(handling, '0.001'),
      upTo(handling, '0.0025'),
      upTo(handling, '0.25'),
      upTo(handling, '0.5'),
    ]).toEqual([0, 2, 2, 3]);
    expect(handling.buckets).toMatchObject({ count: 3, sum: (2 + 2 + 400) / 1000 });
    expect(handling.buckets.cumulative.at(-1)).toEqual(['+Inf', 3]);
  });

  it('counts what is delivered again once, from its first delivery', () => {
    const { handling, clock } = timed();
    handling.delivered(at(3));
    clock.now = 1_000;
    handling.delivered(at(3));
    clock.now = 2_000;
    handling.settled('t', 0, 4);
    expect(handling.buckets).toMatchObject({ count: 1, sum: 2 });
  });

  it('puts what takes longer than the last bound under no bound', () => {
    const { handling, clock } = timed();
    handling.delivered(at(0));
    clock.now = 61_000;
    handling.settled('t', 0, 1);
    expect([upTo(handling, '60'), upTo(handling, '+Inf')]).toEqual([0, 1]);
  });

  it('forgets a partition that was given up, and begins it anew', () => {
    const { handling, clock } = timed();
    handling.delivered(at(7));
    handling.delivered(at(7, 1));
    handling.revoke('t', 0);
    handling.settled('t', 0, 8);
    expect(handling.buckets.count).toBe(0);
    handling.delivered(at(7));
    clock.now = 1;
    handling.settled('t', 0, 8);
    handling.settled('t', 1, 8);
    expect(handling.buckets.count).toBe(2);
  });

  it('keeps count over many messages of which the oldest is long under way', () => {
    const { handling } = timed();
    for (let offset = 0; offset < 10_000; offset++) {
      handling.delivered(at(offset));
      handling.settled('t', 0, offset - 100);
    }
    handling.settled('t', 0, 10_000);
    expect(handling.buckets.count).toBe(10_000);
  });
});
