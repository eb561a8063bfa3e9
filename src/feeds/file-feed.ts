import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import * as t from 'io-ts';
import { minuteAt, minuteMs } from './event-time.ts';
import { FeedError, type Feed, type FeedBatch, type FeedContents, type FeedItem } from './feed.ts';
import { barDecoder, tradeDecoder } from './files/array-formats.ts';
import { detect, type Detected } from './files/detect.ts';
import { Merge } from './files/merge.ts';
import { recordedDecoder } from './files/recorded-topics.ts';
import { RowSource } from './files/row-source.ts';
import { ArraySplitter, LineSplitter } from './files/rows.ts';
import { SessionSource } from './files/session-source.ts';
import { timeOf, type ItemSource } from './files/timed-source.ts';
import { venueNamed, knownVenues } from './venues/known-venues.ts';
import type { NormaliserOptions } from './venues/venue.ts';

export interface FileFeedOptions extends NormaliserOptions {
  /** Default: from the paths. Positions are recorded under it. */
  readonly name?: string;
  /**
   * The venue of bars and trades, which do not say it: default `binance` for bars, `kraken` for trades. For
   * sessions the name of the protocol, as in `ws:NAME`; default by their addresses.
   */
  readonly venue?: string;
  /** The symbol of bars and trades. Default from the name of the file: `BTC_USDT-1m.json.gz`. */
  readonly symbol?: string;
  /** The interval of bars, ms. Default from the name of the file. */
  readonly intervalMs?: number;
  /** Items a batch. Default 512. */
  readonly batchSize?: number;
}

const Position = t.type({ taken: t.record(t.string, t.number), time: t.union([t.number, t.null]) });

/** Files that cannot be used are named at once, but not hundreds of them. */
const namedAtOnce = 10;

/** A gap between items longer than this is one step in time, not a step a minute. */
const longestWalkMs = 8 * 24 * 60 * minuteMs;

/**
 * Recorded market data from files, gzip or not, of one form or several: arrays of bars or trades, recorded
 * exchange sessions, messages recorded from topics. Merged by event time in bounded memory; each file keeps
 * its own order. Time items come at each whole minute of the recording.
 *
 * @throws FeedError for files that do not exist, cannot be read or are of no known form, all of them together; what is
 * broken within a file becomes malformed items instead
 */
export function fileFeed(paths: readonly string[], options: FileFeedOptions = {}): Feed {
  const name = options.name ?? nameOf(paths);
  if (paths.length === 0) throw new FeedError(name, 'no files are named: give at least one path');
  const files = detectAll(name, paths, options);
  const read = (position: string | null, signal: AbortSignal): AsyncIterable<FeedBatch> =>
    new FileReading(name, files, options).read(position, signal);
  return { name, contents: contentsOf(files), read };
}

/** What each file holds; what keeps several of them from being used is told together. */
function detectAll(name: string, paths: readonly string[], options: FileFeedOptions): readonly Detected[] {
  const problems: FeedError[] = [];
  const files = paths.flatMap(path => {
    try {
      const file = detect(name, path);
      identityOf(name, file, options);
      return [file];
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      problems.push(error);
      return [];
    }
  });
  const [first] = problems;
  if (first === undefined) return files;
  if (problems.length === 1) throw first;
  const more = problems.length - namedAtOnce;
  const named = problems.slice(0, namedAtOnce).map(({ message }) => message);
  throw new FeedError(name, [...named, ...(more > 0 ? [`and ${more} more files`] : [])].join('; '));
}

function nameOf(paths: readonly string[]): string {
  const [first = ''] = paths;
  const digest = createHash('sha256').update(paths.map(path => basename(path)).join('\n'));
  const more = paths.length > 1 ? `+${paths.length - 1}-${digest.digest('hex').slice(0, 8)}` : '';
  return `file:${basename(first)}${more}`;
}

function contentsOf(files: readonly Detected[]): FeedContents {
  const prices = files.map(file => file.contents.prices);
  return {
    prices: prices.find(each => each === 'bars') ?? prices.find(each => each === 'ticks') ?? 'none',
    trades: files.some(file => file.contents.trades),
    books: files.some(file => file.contents.books),
  };
}

/** What a file of rows is about, from the options or its name. */
function identityOf(
  feed: string,
  file: Detected,
  options: FileFeedOptions,
): { readonly venue: string; readonly symbol: string; readonly intervalMs: number } {
  const { format, path } = file;
  const symbol = options.symbol ?? file.symbol ?? '';
  const intervalMs = options.intervalMs ?? file.intervalMs ?? 0;
  if (format === 'session' && options.venue !== undefined && venueNamed(options.venue) === undefined) {
    const names = knownVenues.map(venue => venue.name).join(', ');
    throw new FeedError(feed, `${path}: the venue ${options.venue} is not known; known are ${names}`);
  }
  if (format === 'bars' && intervalMs === 0) {
    throw new FeedError(
      feed,
      `${path}: the interval of its bars is not known; name it like BTC_USDT-1m.json`,
    );
  }
  if ((format === 'bars' || format === 'trades') && symbol === '') {
    throw new FeedError(
      feed,
      `${path}: its symbol is not known; name it like BTC_USDT-1m.json or set symbol`,
    );
  }
  return { venue: options.venue ?? (format === 'trades' ? 'kraken' : 'binance'), symbol, intervalMs };
}

/** One reading of the files from a position on. */
class FileReading {
  readonly #name: string;
  readonly #size: number;
  readonly #batchSize: number;
  readonly #sources: readonly ItemSource[];
  readonly #merge: Merge;
  /** The last minute said, or undefined before the first item. */
  #time: number | undefined;

  constructor(name: string, files: readonly Detected[], options: FileFeedOptions) {
    this.#name = name;
    this.#size = files.reduce((sum, file) => sum + file.size, 0);
    this.#batchSize = options.batchSize ?? 512;
    this.#sources = sourcesOf(name, files, options);
    this.#merge = new Merge(this.#sources);
  }

  async *read(position: string | null, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    try {
      await this.#merge.start(this.#resume(position));
      let latest = 0;
      let items: FeedItem[] = [];
      for (let item = this.#merge.head; item !== undefined; item = this.#merge.head) {
        const time = timeOf(item);
        if (time !== undefined) {
          for (const minute of this.#minutesBefore(time)) {
            if (items.push({ kind: 'time', time: minute }) < this.#batchSize) continue;
            yield this.#batch(items);
            items = [];
            if (signal.aborted) return;
          }
          latest = Math.max(latest, time);
        }
        items.push(item);
        const more = this.#merge.take();
        if (more !== undefined) await more;
        if (items.length < this.#batchSize) continue;
        yield this.#batch(items);
        items = [];
        if (signal.aborted) return;
      }
      // The whole last minute has been said once nothing follows.
      for (const minute of this.#minutesBefore(latest + 1)) items.push({ kind: 'time', time: minute });
      if (items.length > 0) yield this.#batch(items);
    } catch (cause) {
      if (cause instanceof FeedError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FeedError(this.#name, `reading stopped: ${why}; start again to go on from here`, { cause });
    } finally {
      await this.#merge.close();
    }
  }

  #resume(position: string | null): Readonly<Record<string, number>> {
    if (position === null) return {};
    let parsed: unknown;
    try {
      parsed = JSON.parse(position);
    } catch {
      parsed = undefined;
    }
    if (!Position.is(parsed) || Object.keys(parsed.taken).some(name => !this.#knows(name))) {
      const remedy = 'start it anew under another name, or with the files it was recorded with';
      throw new FeedError(this.#name, `the recorded position is not of these files: ${remedy}`);
    }
    this.#time = parsed.time ?? undefined;
    return parsed.taken;
  }

  #knows(name: string): boolean {
    return this.#sources.some(source => source.name === name);
  }

  /** The minutes that are over before something of this time is said; each is given once, forward only. */
  *#minutesBefore(time: number): Generator<number> {
    const until = minuteAt(time - 1);
    this.#time ??= until;
    if (until - this.#time > longestWalkMs) this.#time = until - minuteMs;
    while (this.#time < until) {
      this.#time += minuteMs;
      yield this.#time;
    }
  }

  #batch(items: readonly FeedItem[]): FeedBatch {
    const position = { taken: this.#merge.taken, time: this.#time ?? null };
    const read = this.#sources.reduce((sum, source) => sum + source.bytesRead, 0);
    return {
      items,
      position: JSON.stringify(position),
      progress: this.#size === 0 ? 1 : Math.min(1, read / this.#size),
    };
  }
}

function sourcesOf(
  name: string,
  files: readonly Detected[],
  options: FileFeedOptions,
): readonly ItemSource[] {
  const sessions = files.filter(file => file.format === 'session');
  const rows = files
    .filter(file => file.format !== 'session')
    .map((file, index, all) => {
      const { venue, symbol, intervalMs } = identityOf(name, file, options);
      // Files of one name in two folders are told apart by their order.
      const own = basename(file.path);
      const twins = all.slice(0, index).filter(other => basename(other.path) === own).length;
      const title = twins === 0 ? own : `${own}#${twins + 1}`;
      if (file.format === 'recorded') {
        return new RowSource(title, file.path, new LineSplitter(), recordedDecoder);
      }
      const identity = { venue, symbol };
      const decode = file.format === 'bars' ? barDecoder(identity, intervalMs) : tradeDecoder(identity);
      return new RowSource(title, file.path, new ArraySplitter(), decode);
    });
  if (sessions.length === 0) return rows;
  const joined = sessions.map(file => basename(file.path)).join(' ');
  const connections = sessions.map(({ path, venue }) => ({ path, venue: options.venue ?? venue }));
  return [...rows, new SessionSource(joined, connections, options)];
}
