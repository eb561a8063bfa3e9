import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Feed, FeedBatch } from '../../src/feeds/feed.ts';
import { fileFeed } from '../../src/feeds/file-feed.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';
import type { Effort } from './benchmark.ts';

/** Where recorded market data is, beside the checkout unless the environment says otherwise. */
const folder = join(
  process.env['CRYPTORUN_DATA'] ?? join(import.meta.dirname, '../../../shared/data'),
  'binance-1m-2021',
);
const smokeItems = 60_000;

export interface Bars {
  readonly feed: Feed;
  readonly what: string;
}

/** The recorded 1m bars of 18 symbols; where they are absent the simulator's. */
export function barsFor({ smoke }: Effort): Bars {
  if (!existsSync(folder)) {
    const what = `simulated, for there is no ${folder}`;
    return { feed: limited(simulatorFeed({ days: 30 }), smoke), what };
  }
  const paths = readdirSync(folder)
    .filter(name => name.endsWith('-1m.json.gz'))
    .map(name => join(folder, name));
  return { feed: limited(fileFeed(paths), smoke), what: `${paths.length} symbols, recorded` };
}

/** The beginning of a feed. */
function limited(feed: Feed, smoke: boolean): Feed {
  if (!smoke) return feed;
  return {
    ...feed,
    read: async function* (position, signal): AsyncGenerator<FeedBatch> {
      let items = 0;
      for await (const batch of feed.read(position, signal)) {
        yield batch;
        if ((items += batch.items.length) >= smokeItems) return;
      }
    },
  };
}
