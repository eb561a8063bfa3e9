import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as t from 'io-ts';

const root = process.env['CRYPTORUN_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const recordings = join(root, 'binance-1m-2021');

/** Why there is nothing to run on; undefined where there is. */
export const noRecordedDays: string | undefined = existsSync(recordings)
  ? undefined
  : `no recorded bars at ${recordings}; set CRYPTORUN_DATA`;

const Rows = t.array(t.array(t.number));
const dayMs = 24 * 3_600_000;
/** The first of the days that are taken: after it come six weeks of recordings. */
const firstDay = Date.UTC(2021, 3, 10);

/** All symbols that are recorded, as `BTC`. */
export function recordedSymbols(): readonly string[] {
  return readdirSync(recordings).flatMap(file => /^(\w+)_USDT-1m\.json\.gz$/.exec(file)?.[1] ?? []);
}

/**
 * Writes so many recorded days of some symbols to a folder: a feed of its own, to be thrown away.
 *
 * @param days infinitely many: all that are recorded, also before the first that is taken else
 */
export function writeRecordedDays(folder: string, symbols: readonly string[], days: number): void {
  const from = days === Infinity ? 0 : firstDay;
  for (const symbol of symbols) {
    const rows: unknown = JSON.parse(
      gunzipSync(readFileSync(join(recordings, `${symbol}_USDT-1m.json.gz`))).toString(),
    );
    if (!Rows.is(rows)) throw new Error(`${symbol}: not rows of numbers`);
    const wanted = rows.filter(([start = 0]) => start >= from && start < from + days * dayMs);
    writeFileSync(join(folder, `${symbol}_USDT-1m.json`), JSON.stringify(wanted));
  }
}
