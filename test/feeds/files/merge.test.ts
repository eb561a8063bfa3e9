import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FeedItem } from '../../../src/feeds/feed.ts';
import { Merge } from '../../../src/feeds/files/merge.ts';
import { timeOf, type ItemSource } from '../../../src/feeds/files/timed-source.ts';

const chunked = (name: string, times: readonly number[], size: number): ItemSource => {
  let at = 0;
  return {
    name,
    bytesRead: 0,
    next: () => {
      const chunk = times.slice(at, (at += size));
      const items = chunk.map((time): FeedItem => ({ kind: 'time', time }));
      return Promise.resolve(chunk.length === 0 ? undefined : items);
    },
    close: () => Promise.resolve(),
  };
};

async function drain(merge: Merge, atMost = Infinity): Promise<readonly number[]> {
  const times: number[] = [];
  while (times.length < atMost && merge.head !== undefined) {
    times.push(timeOf(merge.head) ?? 0);
    const more = merge.take();
    if (more !== undefined) await more;
  }
  return times;
}

const sorted = fc.array(fc.integer({ min: 0, max: 50 })).map(times => times.toSorted((a, b) => a - b));

it('gives all that sorted sources hold, sorted, and goes on from any point with the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sorted, { maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(40),
      async (sources, size, first) => {
        const make = (): Merge => new Merge(sources.map((times, index) => chunked(`s${index}`, times, size)));
        const whole = make();
        await whole.start({});
        const all = await drain(whole);
        expect(all).toEqual(sources.flat().toSorted((a, b) => a - b));
        const begun = make();
        await begun.start({});
        const head = await drain(begun, first);
        const rest = make();
        await rest.start(begun.taken);
        expect([...head, ...(await drain(rest))]).toEqual(all);
      },
    ),
    { numRuns: 200 },
  );
});

it('keeps the order of each source, sorted or not', async () => {
  const merge = new Merge([chunked('a', [5, 1, 6], 2), chunked('b', [2, 4], 1)]);
  await merge.start({});
  expect(await drain(merge)).toEqual([2, 4, 5, 1, 6]);
});
