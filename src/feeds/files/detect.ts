import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { FeedError, type FeedContents } from '../feed.ts';
import { normaliseSymbol } from '../symbols.ts';
import { parseDuration } from '../../core/durations.ts';
import { parseLogLine } from './frame-log.ts';
import { isFeedTopic } from './recorded-topics.ts';

/** What a file turned out to be. */
export interface Detected {
  readonly path: string;
  readonly size: number;
  readonly format: 'bars' | 'trades' | 'session' | 'recorded';
  readonly contents: FeedContents;
  /** From a name such as `BTC_USDT-1m.json.gz`. */
  readonly symbol: string | undefined;
  readonly intervalMs: number | undefined;
  /** Of sessions without addresses, from their frames. */
  readonly venue: string | undefined;
}

const headBytes = 64 * 1024;
const forms = 'bars, trades, a recorded exchange session, or messages recorded from topics';

function headOf(path: string): { readonly size: number; readonly text: string } {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(headBytes);
    const head = buffer.subarray(0, readSync(file, buffer, 0, headBytes, 0));
    const gzip = head[0] === 0x1f && head[1] === 0x8b;
    const plain = gzip ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head;
    return { size: statSync(path).size, text: plain.toString('latin1') };
  } finally {
    closeSync(file);
  }
}

/** The format of an array by the first of its rows that can be read. */
function arrayFormat(text: string): 'bars' | 'trades' | undefined {
  const [, ...rows] = text.slice(0, headBytes).split('[').slice(0, 40);
  for (const row of rows) {
    const columns = row.slice(0, Math.max(0, row.indexOf(']'))).split(',');
    if (columns.length >= 6 && columns.some(column => /"(buy|sell)"/.test(column))) return 'trades';
    if (
      columns.length >= 6 &&
      columns.slice(0, 6).every(column => /^\s*"?-?\d[\d.eE+-]*"?\s*$/.test(column))
    ) {
      return 'bars';
    }
  }
  return undefined;
}

const isRecorded = (line: string): boolean => line.startsWith('{') && /"topic"\s*:/.test(line);

function formatOf(text: string): Detected['format'] | undefined {
  if (text.trimStart().startsWith('[')) return arrayFormat(text);
  const lines = text.split('\n', 40);
  if (lines.some(line => parseLogLine(line) !== undefined)) return 'session';
  return lines.some(isRecorded) ? 'recorded' : undefined;
}

function contentsOf(format: Detected['format'], text: string): FeedContents {
  switch (format) {
    case 'bars':
      return { prices: 'bars', trades: false, books: false };
    case 'trades':
      return { prices: 'none', trades: true, books: false };
    case 'session':
      return { prices: 'ticks', trades: true, books: /book|depth|l(evel)?2/.test(text) };
    case 'recorded': {
      const topics = [...text.matchAll(/"topic"\s*:\s*"([^"]+)"/g)]
        .map(match => match[1] ?? '')
        .filter(isFeedTopic);
      const has = (name: string): boolean => topics.some(topic => topic.endsWith(name));
      const bars = text.includes('intervalMs') ? 'bars' : 'ticks';
      return {
        prices: has('prices') ? bars : 'none',
        trades: has('trades'),
        books: has('orderbook'),
      };
    }
  }
}

/** Of a session in nanoseconds, which names no address: Binance, and `pu` is only in its futures. */
const frameVenue = (text: string): string | undefined =>
  /^\d{16,20} /.test(text) ? (/"pu":|usdm/.test(text) ? 'binance-usdm' : 'binance') : undefined;

function failure(feed: string, path: string, cause: unknown): FeedError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why =
    code === 'ENOENT'
      ? 'does not exist: check the path'
      : code === 'EISDIR'
        ? 'is a folder: name its files, or add /*'
        : code === 'EACCES'
          ? 'may not be read: change its permissions'
          : `cannot be read (${cause instanceof Error ? cause.message : String(cause)}): fetch it again`;
  return new FeedError(feed, `${path} ${why}`, { cause });
}

/**
 * Finds out what a file holds, by its content; only symbol and interval of bars and trades come from its name.
 * @throws FeedError where it cannot be read or holds nothing that is known
 */
export function detect(feed: string, path: string): Detected {
  let head: ReturnType<typeof headOf>;
  try {
    head = headOf(path);
  } catch (cause) {
    throw failure(feed, path, cause);
  }
  const { text, size } = head;
  if (text.trim() === '') throw new FeedError(feed, `${path} is empty: record it again, or leave it out`);
  const format = formatOf(text);
  if (format === undefined)
    throw new FeedError(feed, `${path} holds nothing that is known; expected ${forms}`);
  const [, base, quote, interval] = /^([^_-]+)[_-]([^_-]+)-(\w+)\./.exec(basename(path)) ?? [];
  return {
    path,
    size,
    format,
    contents: contentsOf(format, text),
    symbol: base !== undefined && quote !== undefined ? normaliseSymbol(`${base}-${quote}`) : undefined,
    intervalMs: interval === undefined ? undefined : parseDuration(interval),
    venue: frameVenue(text),
  };
}
