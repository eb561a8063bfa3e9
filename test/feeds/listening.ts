import { expect, onTestFinished } from 'vitest';
import type { FeedItem } from '../../src/feeds/feed.ts';
import type { LiveEvent } from '../../src/feeds/live/live-session.ts';
import { venueNamed } from '../../src/feeds/venues/known-venues.ts';
import type { Venue } from '../../src/feeds/venues/venue.ts';
import { webSocketFeed, type WebSocketFeedOptions } from '../../src/feeds/websocket-feed.ts';
import { ManualTimers } from './manual-timers.ts';
import { replayServer, type ReplayServer } from './replay-server.ts';

/** The venue of that name. */
export const venue = (name: string): Venue => {
  const found = venueNamed(name);
  if (found === undefined) throw new Error(name);
  return found;
};

/** A replay server that is closed with the test. */
export async function serve(...args: Parameters<typeof replayServer>): Promise<ReplayServer> {
  const server = await replayServer(...args);
  onTestFinished(() => server.close());
  return server;
}

export interface Heard {
  readonly items: FeedItem[];
  readonly events: LiveEvent[];
  readonly kinds: Record<string, number>;
  readonly timers: ManualTimers;
  readonly position: string;
}

interface Listening extends WebSocketFeedOptions {
  readonly position?: string;
  /** Told of every item and event; what it does to the timers is what passes for time. */
  readonly react?: (heard: Heard, timers: ManualTimers) => void;
}

/** When the clock of a feed that is listened to begins, ms. */
export const start = 1_700_000_000_000;

/** Reads a feed until a condition holds. Waits to connect again are over at once. */
export async function listen(
  of: Venue,
  server: ReplayServer,
  until: (heard: Heard) => boolean,
  { position, react, ...options }: Listening = {},
): Promise<Heard> {
  const timers = new ManualTimers(start);
  const heard = {
    items: [] as FeedItem[],
    events: [] as LiveEvent[],
    kinds: {} as Record<string, number>,
    timers,
    position: '',
  };
  const abort = new AbortController();
  const onEvent = (event: LiveEvent): void => {
    heard.events.push(event);
    options.onEvent?.(event);
    if (event.kind === 'reconnecting') timers.advance(event.inMs);
    // Once the reader has taken what is waiting for it.
    setImmediate(() => {
      if (until(heard)) abort.abort();
    });
  };
  const feed = webSocketFeed(of, ['BTC-USD'], {
    url: server.url,
    timers,
    random: () => 1,
    ...options,
    onEvent,
  });
  for await (const batch of feed.read(position ?? null, abort.signal)) {
    heard.position = batch.position;
    for (const item of batch.items) {
      heard.items.push(item);
      heard.kinds[item.kind] = (heard.kinds[item.kind] ?? 0) + 1;
    }
    react?.(heard, timers);
    if (until(heard)) break;
  }
  expect(timers.pending).toBe(0);
  return heard;
}

/** What happened to the connection. */
export const events = (heard: Heard): readonly string[] => heard.events.map(event => event.kind);
