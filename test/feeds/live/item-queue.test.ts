import { describe, expect, it } from 'vitest';
import type { FeedItem } from '../../../src/feeds/feed.ts';
import { ItemQueue } from '../../../src/feeds/live/item-queue.ts';

const times = (...values: readonly number[]): readonly FeedItem[] =>
  values.map(time => ({ kind: 'time', time }));

describe('a queue of items', () => {
  it('says when it is full, and once when it is half empty again', async () => {
    let drained = 0;
    const queue = new ItemQueue(4, () => (drained += 1));
    expect(queue.push(times(1, 2, 3))).toBe(true);
    expect(queue.push(times(4))).toBe(false);
    expect(await queue.take(1)).toEqual(times(1));
    expect(drained).toBe(0);
    expect(queue.push(times(5))).toBe(false);
    expect(await queue.take(2)).toEqual(times(2, 3));
    expect(await queue.take(9)).toEqual(times(4, 5));
    expect(drained).toBe(1);
    expect(queue.push(times(6))).toBe(true);
  });

  it('waits for items, and hands out what is left before it ends', async () => {
    const queue = new ItemQueue(4, () => undefined);
    const waiting = queue.take(5);
    queue.push(times(1));
    queue.end();
    expect(await waiting).toEqual(times(1));
    expect(await queue.take(5)).toBeUndefined();
    queue.push(times(2));
    expect(queue.length).toBe(0);
  });

  it('fails with the failure it ended with', async () => {
    const queue = new ItemQueue(4, () => undefined);
    const waiting = queue.take(5);
    queue.end(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });
});
