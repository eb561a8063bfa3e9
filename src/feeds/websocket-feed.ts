import * as t from 'io-ts';
import { Backoff, type BackoffOptions } from '../core/backoff.ts';
import { FeedError, type Feed, type FeedBatch, type FeedContents } from './feed.ts';
import { LiveSession, type LiveEvent, type LiveSettings } from './live/live-session.ts';
import { fetchText, type FetchText } from './live/rest.ts';
import { systemTimers, type Timers } from './live/timers.ts';
import { timeOf } from './files/timed-source.ts';
import type { Channel, NormaliserOptions, Subscription, Venue } from './venues/venue.ts';

export interface WebSocketFeedOptions extends NormaliserOptions {
  /** Default: from venue, symbols and channels. Positions are recorded under it. */
  readonly name?: string;
  /** Default: all of ticker, trades and book that the venue has. */
  readonly channels?: readonly Channel[];
  /** Address in place of the venue's own. */
  readonly url?: string;
  /** Clock and timers. Default the machine's. */
  readonly timers?: Timers;
  /** 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Fetches snapshots of books by REST. Default `fetch`, at most 10 s and 16 MB. */
  readonly fetchText?: FetchText;
  /** Waits between attempts to connect. Default 500 ms, doubling, at most 30 s, each shortened by up to half. */
  readonly backoff?: BackoffOptions;
  /** Attempts in a row without market data after which the feed fails. Default: none, it goes on trying. */
  readonly maxAttempts?: number;
  /** Without a frame for this long the connection is made anew. Default 30 s. */
  readonly stallMs?: number;
  /** Longest frame; a longer one ends the connection. Default 16 MB. */
  readonly maxFrameBytes?: number;
  /** Items that wait for the reader before the socket is paused. Default 8192. */
  readonly maxQueue?: number;
  /**
   * How far behind the newest event time the feed says that all has been said. Default 1 s: frames of several
   * symbols arrive out of order by less, and bars wait for two seconds more.
   */
  readonly slackMs?: number;
  /** How often it says so. Default 1 s. */
  readonly timeEveryMs?: number;
  /** Items a batch. Default 512. */
  readonly batchSize?: number;
  /** Is told what happens to the connection. */
  readonly onEvent?: (event: LiveEvent) => void;
}

const Position = t.type({ time: t.number });

/**
 * Live market data of a venue. Reconnects by itself; a book that lost an update is silent until it is whole
 * again. A position holds the last time said: what was missed in between cannot be had again from a socket.
 *
 * @throws FeedError for symbols or channels that the venue cannot have; while reading, where `maxAttempts`
 * are used up
 */
export function webSocketFeed(
  venue: Venue,
  symbols: readonly string[],
  options: WebSocketFeedOptions = {},
): Feed {
  const channels = options.channels ?? venue.channels.filter(channel => channel !== 'bars');
  const name = options.name ?? `ws:${venue.name}:${[...symbols, ...channels].join(',')}`;
  const subscription = { symbols, channels };
  check(name, venue, subscription);
  return {
    name,
    contents: contentsOf(channels),
    read: (position, signal) => read(name, venue, subscription, options, position, signal),
  };
}

function check(name: string, venue: Venue, { symbols, channels }: Subscription): void {
  if (symbols.length === 0) throw new FeedError(name, 'no symbols are named: give some, such as BTC-USD');
  const bad = symbols.find(symbol => !/^[A-Z0-9.]+-[A-Z0-9.-]+$/.test(symbol));
  if (bad !== undefined)
    throw new FeedError(name, `the symbol ${bad} is not of the form BASE-QUOTE, such as BTC-USD`);
  const missing = channels.find(channel => !venue.channels.includes(channel));
  if (missing !== undefined || channels.length === 0) {
    const known = venue.channels.join(', ');
    throw new FeedError(name, `${venue.name} has no channel ${missing ?? '(none named)'}; it has ${known}`);
  }
}

function contentsOf(channels: readonly Channel[]): FeedContents {
  const ticks = channels.includes('ticker') ? 'ticks' : 'none';
  return {
    prices: channels.includes('bars') ? 'bars' : ticks,
    trades: channels.includes('trades'),
    books: channels.includes('book'),
  };
}

function lastTime(position: string | null): number {
  try {
    const parsed: unknown = JSON.parse(position ?? 'null');
    return Position.is(parsed) ? parsed.time : 0;
  } catch {
    // Only the time is in it; without it the first time item may repeat an earlier one.
    return 0;
  }
}

function settingsOf(name: string, url: string, options: WebSocketFeedOptions, said: number): LiveSettings {
  const { random = Math.random } = options;
  return {
    feed: name,
    url: options.url ?? url,
    timers: options.timers ?? systemTimers,
    fetchText: options.fetchText ?? fetchText,
    backoff: new Backoff(name, { firstDelayMs: 500, maxDelayMs: 30_000, random, ...options.backoff }),
    maxAttempts: options.maxAttempts ?? Infinity,
    stallMs: options.stallMs ?? 30_000,
    maxFrameBytes: options.maxFrameBytes ?? 16 * 1024 * 1024,
    maxQueue: options.maxQueue ?? 8192,
    slackMs: options.slackMs ?? 1000,
    timeEveryMs: options.timeEveryMs ?? 1000,
    resumeAfter: said,
    onEvent: options.onEvent ?? ((): void => undefined),
  };
}

async function* read(
  name: string,
  venue: Venue,
  subscription: Subscription,
  options: WebSocketFeedOptions,
  position: string | null,
  signal: AbortSignal,
): AsyncGenerator<FeedBatch> {
  const stopped = (): boolean => signal.aborted;
  if (stopped()) return;
  let time = lastTime(position);
  const settings = settingsOf(name, venue.url(subscription), options, time);
  const session = new LiveSession(venue, subscription, venue.createNormaliser(options), settings);
  const stop = (): void => session.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    session.start();
    for (;;) {
      const items = await session.queue.take(options.batchSize ?? 512);
      if (items === undefined || stopped()) return;
      time = items.reduce(
        (latest, item) => Math.max(latest, item.kind === 'time' ? (timeOf(item) ?? 0) : 0),
        time,
      );
      yield { items, position: JSON.stringify({ time }), isLive: true };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    session.stop();
  }
}
