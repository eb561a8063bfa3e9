import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as t from 'io-ts';
import type { MarketBar } from '../../pipelines/market-bar.ts';

const root = process.env['CRYPTORUN_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const folder = join(root, 'binance-1m-2021');

/** Where the recorded bars are absent, the reason for skipping; else undefined. */
export const noRecordedBars: string | undefined = existsSync(folder)
  ? undefined
  : `no recorded bars at ${folder}; set CRYPTORUN_DATA`;

const Rows = t.array(t.array(t.number));

/** Up to `count` recorded 1m bars of a symbol such as `BTC-USDT`, in order, repetitions left out. */
export function recordedBars(symbol: string, count: number = Infinity): MarketBar[] {
  const text = gunzipSync(readFileSync(join(folder, `${symbol.replace('-', '_')}-1m.json.gz`))).toString();
  const rows: unknown = JSON.parse(text);
  if (!Rows.is(rows)) throw new Error(`${symbol}: not rows of numbers`);
  const bars: MarketBar[] = [];
  for (const [begin = 0, open = 0, high = 0, low = 0, close = 0, volume = 0] of rows.slice(0, count)) {
    const end = begin + 60_000;
    if (end <= (bars.at(-1)?.end ?? 0)) continue;
    const closedBy = { time: end, price: close };
    bars.push({
      venue: 'binance',
      symbol,
      intervalMs: 60_000,
      end,
      open,
      high,
      low,
      close,
      volume,
      closedBy,
    });
  }
  return bars;
}
