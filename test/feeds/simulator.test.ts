import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FeedError, type FeedItem } from '../../src/feeds/feed.ts';
import { simulatorFeed, type SimulatorOptions } from '../../src/feeds/simulator.ts';

const START = Date.UTC(2026, 0, 5);
const never = new AbortController().signal;

async function everything(options: SimulatorOptions): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const batch of simulatorFeed(options).read(null, never)) items.push(...batch.items);
  return items;
}

const digest = (items: readonly FeedItem[]): string => {
  const hash = createHash('sha256');
  for (const item of items) hash.update(JSON.stringify(item));
  return hash.digest('hex');
};

/** Reads three batches at a time, each time with a new feed from the recorded position. */
async function inPieces(options: SimulatorOptions): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  let position: string | null = null;
  for (let progress = 0; progress < 1;) {
    let batches = 0;
    for await (const batch of simulatorFeed(options).read(position, never)) {
      items.push(...batch.items);
      position = batch.position;
      progress = batch.progress ?? 0;
      if (++batches === 3) break;
    }
  }
  return items;
}

describe('simulatorFeed', () => {
  it('says the same however it is batched and resumed', async () => {
    const days = 3.5;
    const whole = await everything({ days });
    const pieces = await inPieces({ days, batchSize: 97 });
    expect(pieces.length).toBe(whole.length);
    expect(digest(pieces)).toBe(digest(whole));
  }, 30_000);

  it('says something else for another seed, start or number of symbols', async () => {
    const options: SimulatorOptions[] = [{}, { seed: 43 }, { start: START + 60_000 }, { symbols: 5 }];
    const days = 0.05;
    const digests = await Promise.all(options.map(async o => digest(await everything({ ...o, days }))));
    expect(new Set(digests).size).toBe(4);
  });

  it('fills batches, tells its progress and ends', async () => {
    const sizes: number[] = [];
    const progress: number[] = [];
    for await (const batch of simulatorFeed({ days: 0.5, batchSize: 300 }).read(null, never)) {
      sizes.push(batch.items.length);
      progress.push(batch.progress ?? -1);
    }
    expect(sizes.slice(0, -1).every(size => size === 300)).toBe(true);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress[0]).toBeGreaterThan(0);
    expect(progress.at(-1)).toBe(1);
  });

  it('ends at once where the position is at the end, or the signal aborted', async () => {
    let position = '';
    for await (const batch of simulatorFeed({ days: 0.1 }).read(null, never)) position = batch.position;
    const aborted = AbortSignal.abort();
    const again = simulatorFeed({ days: 0.1 }).read(position, never)[Symbol.asyncIterator]();
    const stopped = simulatorFeed({ days: 0.1 }).read(null, aborted)[Symbol.asyncIterator]();
    expect((await again.next()).done).toBe(true);
    expect((await stopped.next()).done).toBe(true);
  });

  it('gives symbols past the twelfth names of their own', async () => {
    const items = await everything({ symbols: 30, days: 0.02 });
    const names = new Set(items.flatMap(item => (item.kind === 'book' ? [item.value.symbol] : [])));
    expect(names.size).toBe(30);
    expect(names).toContain('BTC2-USDT');
  });

  it.each([
    ['', 'no position'],
    ['{"step":1}', 'no position'],
    ['x'.repeat(200_000), 'no position'],
    ['{"market":"m","step":-1,"said":0,"prices":[]}', 'no position'],
    ['{"market":"seed 7","step":1,"said":0,"prices":[1]}', 'belongs to seed 7'],
  ])('refuses the position %.40s', async (position, reason) => {
    const reading = simulatorFeed().read(position, never)[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow(FeedError);
    const again = simulatorFeed().read(position, never)[Symbol.asyncIterator]();
    await expect(again.next()).rejects.toThrow(reason);
  });

  it.each([
    [{ seed: -1 }, 'seed'],
    [{ symbols: 0 }, 'symbols'],
    [{ days: 0 }, 'days'],
    [{ start: Number.NaN }, 'start'],
    [{ batchSize: 513 }, 'batchSize'],
  ])('refuses %j', (options, name) => {
    expect(() => simulatorFeed(options)).toThrow(`option ${name} is`);
  });
});
