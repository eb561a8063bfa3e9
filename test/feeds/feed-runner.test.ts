import { describe, expect, it } from 'vitest';
import { markerOf } from '../../src/core/marker.ts';
import { runFeed } from '../../src/feeds/feed-runner.ts';
import type { Feed, FeedBatch } from '../../src/feeds/feed.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { feedTopics } from '../chain/chain-run.ts';

/** A feed of two bars, of which the second batch ends it. */
function feedOf(until: number): Feed {
  return {
    name: 'two',
    contents: { prices: 'bars', trades: false, books: false },
    async *read(position): AsyncGenerator<FeedBatch> {
      await Promise.resolve();
      for (let n = Number(position ?? 0); n < until; n++) {
        yield {
          items: [{ kind: 'time', time: (n + 1) * 60_000 }],
          position: String(n + 1),
        };
      }
    },
  };
}

describe('a feed that goes on where it stopped', () => {
  // Kills: a feed that is killed between its last batch and its end telling its end without a time.
  it('ends at the time that it had reached, also where nothing is left to say', async () => {
    const driver = await PipelineDriver.start({
      pipelines: () => [],
      topics: Object.fromEntries(Object.values(feedTopics).map(name => [name, {}])),
    });
    const run = (until: number): Promise<boolean> =>
      runFeed(feedOf(until), driver.bus, new AbortController().signal, { topics: feedTopics });
    for (let time = 0; time < 2; time++) await run(2);
    const ends = driver.messages({ name: feedTopics.prices }).flatMap(message => {
      const marker = markerOf(message);
      return marker?.kind === 'end' ? [marker.time] : [];
    });
    expect(ends).toEqual([120_000, 120_000]);
  });
});

describe('what a feed says', () => {
  it('is cold from a recording and hot as it happens, and is counted', async () => {
    const driver = await PipelineDriver.start({
      pipelines: () => [],
      topics: Object.fromEntries(Object.values(feedTopics).map(name => [name, {}])),
    });
    const price = { venue: 'v', symbol: 'BTC-USDT', price: 1, volume: 1 };
    const feed: Feed = {
      name: 'both',
      contents: { prices: 'ticks', trades: false, books: false },
      async *read(): AsyncGenerator<FeedBatch> {
        await Promise.resolve();
        for (const isLive of [undefined, true] as const) {
          const time = isLive === true ? 2_000 : 1_000;
          yield {
            items: [{ kind: 'price', value: { ...price, time } }],
            position: String(time),
            ...(isLive !== undefined && { isLive }),
          };
        }
      },
    };
    const { meter } = driver.runtime;
    await runFeed(feed, driver.bus, new AbortController().signal, { topics: feedTopics, meter });
    const tiers = driver
      .messages({ name: feedTopics.prices })
      .filter(message => markerOf(message) === undefined)
      .map(({ headers }) => headers.get('source-tier'));
    expect(tiers).toEqual(['cold', 'hot']);
    // Markers and positions are no messages of the feed.
    expect(meter.sum('stream_publish_total', { feed: 'both' })).toBe(2);
    expect(meter.sum('stream_publish_bytes', { feed: 'both' })).toBe(
      2 * JSON.stringify({ ...price, time: 1_000 }).length,
    );
  });
});
