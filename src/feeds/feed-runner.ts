import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { EventBus } from '../bus/event-bus.ts';
import { settlement } from '../core/delivery.ts';
import { MessageHeaders } from '../core/headers.ts';
import { Marker, markerMessages } from '../core/marker.ts';
import type { OutgoingMessage } from '../core/message.ts';
import { type Meter, idleMeter } from '../core/meter.ts';
import type { BusError } from '../core/publisher.ts';
import type { Feed, FeedItem } from './feed.ts';
import { type FeedTopics, messageOf, refusedLetter } from './feed-topics.ts';

/** How far a feed has come, told after each batch. */
export interface FeedProgress {
  readonly items: number;
  readonly malformed: number;
  /** Event time of the newest item, ms. */
  readonly time: number | undefined;
  /** 0 to 1 where the feed knows its length. */
  readonly progress: number | undefined;
}

export interface FeedRunOptions {
  readonly topics: FeedTopics;
  readonly onProgress?: (progress: FeedProgress) => void;
  /** Counts `stream_publish_total` and `stream_publish_bytes` of the feed, markers and positions not counted. */
  readonly meter?: Meter;
}

const retryMs = 500;

/**
 * Publishes what a feed says, from where it stopped the last time, until it ends or the signal aborts: waits
 * when the bus is full, writes markers to every partition as time passes, and records its position behind
 * each batch. After a crash at most a batch is said twice, with the same ids.
 *
 * @returns whether the feed came to its end
 * @throws FeedError where it cannot be read
 */
export async function runFeed(
  feed: Feed,
  bus: EventBus,
  signal: AbortSignal,
  options: FeedRunOptions,
): Promise<boolean> {
  const { topics, onProgress, meter = idleMeter } = options;
  const marks = new FeedMarks(feed, bus, topics);
  const counts = { items: 0, malformed: 0 };
  const telling: Telling = {
    letterOf: (message, { message: reason }) => refusedLetter(feed, topics, message, reason),
    stored: countingPublished(meter, feed),
  };
  await publishAll(bus, marks.absent(), signal);
  const stopped = await lastPosition(bus, feed, topics);
  marks.newest = stopped.time;
  for await (const { items, position, progress, isLive = false } of feed.read(stopped.position, signal)) {
    // Of ticks a marker also ends the time in which one that is said twice is known again: they need each.
    const told = feed.contents.prices === 'bars' ? withoutNeedless(items) : items;
    const messages: OutgoingMessage[] = [];
    for (const item of told) {
      if (item.kind === 'time') messages.push(...marks.at(item.time));
      else messages.push(messageOf(feed, topics, item, isLive));
    }
    if (!(await publishAll(bus, messages, signal, telling))) return false;
    marks.seen(items);
    // Behind all of the batch: what was refused and is not stored yet must be said again after a crash.
    const reached = positionMessage(feed, topics, position, marks.newest);
    if (!(await publishAll(bus, [reached], signal))) return false;
    counts.items += items.length;
    counts.malformed += items.filter(({ kind }) => kind === 'malformed').length;
    onProgress?.({ ...counts, time: marks.newest, progress });
    // Timers and sockets get their turn between batches.
    await nextTurn();
    if (signal.aborted) return false;
  }
  if (signal.aborted) return false;
  return publishAll(bus, marks.end(), signal);
}

/** Where a feed stopped, and the event time that it had reached, ms: its end is said to be then. */
interface Stopped {
  readonly position: string | null;
  readonly time: number | undefined;
}

const timeHeader = 'feed-time';

/** Where the feed stopped the last time. */
function lastPosition(bus: EventBus, feed: Feed, topics: FeedTopics): Promise<Stopped> {
  return new Promise((resolve, reject) => {
    let stopped: Stopped = { position: null, time: undefined };
    bus.source(topics.positions, { untilEnd: true }).subscribe({
      next: delivery => {
        const { key, payload, headers } = delivery.message;
        if (key === feed.name && payload) {
          const time = headers.get(timeHeader);
          const position = Buffer.from(payload).toString();
          stopped = { position, time: time === undefined ? undefined : Number(time) };
        }
        delivery[settlement].ack();
      },
      error: reject,
      complete: () => resolve(stopped),
    });
  });
}

function positionMessage(
  feed: Feed,
  { positions }: FeedTopics,
  position: string,
  time: number | undefined,
): OutgoingMessage {
  const headers = MessageHeaders.of(time === undefined ? {} : { [timeHeader]: String(time) });
  return { topic: positions, key: feed.name, payload: Buffer.from(position), headers };
}

/** What becomes of the messages of a feed. */
interface Telling {
  /** The dead letter of a message that its topic does not take. */
  readonly letterOf: (message: OutgoingMessage, error: BusError) => OutgoingMessage;
  readonly stored: (message: OutgoingMessage) => void;
}

function countingPublished(meter: Meter, { name: feed }: Feed): Telling['stored'] {
  const messages = meter.counter('stream_publish_total', { feed });
  const bytes = meter.counter('stream_publish_bytes', { feed });
  return ({ payload }) => {
    // Markers are no messages of the feed.
    if (payload === null) return;
    messages.add();
    bytes.add(payload.length);
  };
}

/**
 * Publishes all of them, again where the bus could not, as dead letters where a topic does not take them; false
 * when the signal ended it.
 */
async function publishAll(
  bus: EventBus,
  messages: readonly OutgoingMessage[],
  signal: AbortSignal,
  telling?: Telling,
): Promise<boolean> {
  let rest = messages;
  for (;;) {
    const results = await unlessAborted(bus.publishBatch(rest), signal);
    if (results === undefined) return false;
    rest = results.flatMap((result, i) => {
      const message = rest[i];
      if (message === undefined) return [];
      if (result.ok) {
        telling?.stored(message);
        return [];
      }
      const { error } = result;
      if (error.retryable) return [message];
      if (error.code === 'message-too-large' && telling) return [telling.letterOf(message, error)];
      throw error;
    });
    if (rest.length === 0) return true;
    if (signal.aborted) return false;
    if (results.some(result => !result.ok && result.error.retryable))
      await wait(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Patient messages wait for room without end: whoever ends the feed need not. */
async function unlessAborted<A>(work: Promise<A>, signal: AbortSignal): Promise<A | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => resolve(undefined);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/**
 * The items without markers of which the batch holds a later one, for it is published as one, unless something
 * between the two is older than the first: that must be found late, however the feed is cut into batches.
 */
function withoutNeedless(items: readonly FeedItem[]): readonly FeedItem[] {
  const told: FeedItem[] = [];
  let oldestBehind = Number.POSITIVE_INFINITY;
  let isLast = true;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i] as FeedItem;
    if (item.kind === 'time') {
      if (isLast || oldestBehind <= item.time) told.push(item);
      isLast = false;
    } else {
      if (item.kind !== 'malformed') oldestBehind = Math.min(oldestBehind, item.value.time);
      told.push(item);
    }
  }
  return told.reverse();
}

/** The markers of a feed: to every partition of the topics it carries, and once to those it does not. */
class FeedMarks {
  readonly #carried: readonly string[];
  readonly #absent: readonly string[];
  readonly #bus: EventBus;
  readonly #kind: string;
  newest: number | undefined;

  constructor({ contents }: Feed, bus: EventBus, { prices, trades, books }: FeedTopics) {
    const carries: readonly (readonly [string, boolean])[] = [
      [prices, contents.prices !== 'none'],
      [trades, contents.trades],
      [books, contents.books],
    ];
    this.#bus = bus;
    this.#kind = contents.prices === 'none' ? 'trades' : contents.prices;
    this.#carried = carries.filter(([, carried]) => carried).map(([topic]) => topic);
    this.#absent = carries.filter(([, carried]) => !carried).map(([topic]) => topic);
  }

  seen(items: readonly FeedItem[]): void {
    for (const item of items) {
      if (item.kind === 'malformed') continue;
      const time = item.kind === 'time' ? item.time : item.value.time;
      if (this.newest === undefined || time > this.newest) this.newest = time;
    }
  }

  at(time: number): OutgoingMessage[] {
    return this.#everywhere(this.#carried, new Marker('time', time));
  }

  absent(): OutgoingMessage[] {
    return this.#everywhere(this.#absent, new Marker('absent', 0, this.#kind));
  }

  end(): OutgoingMessage[] {
    return this.#everywhere(this.#carried, new Marker('end', this.newest ?? 0));
  }

  #everywhere(topics: readonly string[], marker: Marker): OutgoingMessage[] {
    return topics.flatMap(topic => markerMessages(topic, this.#bus, marker));
  }
}
