import { dlqHeaders } from '../core/dead-letter.ts';
import { MessageHeaders } from '../core/headers.ts';
import { type OutgoingMessage, deriveId } from '../core/message.ts';
import { beginningTrace, provenance } from '../core/provenance.ts';
import type { Feed, FeedItem } from './feed.ts';
import type { OrderBook } from './market-data.ts';

/** Where a feed writes; the names are the composition root's to give. */
export interface FeedTopics {
  readonly prices: string;
  readonly trades: string;
  readonly books: string;
  /** Where input goes that is no market data. */
  readonly deadLetters: string;
  /** Where feeds record how far they have come; compacted. */
  readonly positions: string;
}

/** An item that is a message: everything but the passing of time. */
type Told = Exclude<FeedItem, { readonly kind: 'time' }>;

const toldNames = [
  'source',
  'source-tier',
  'original-source',
  'confidence',
  provenance.schemaVersion,
  provenance.correlation,
  provenance.trace,
];

/** The message that an item becomes. */
export function messageOf(feed: Feed, topics: FeedTopics, item: Told, isLive: boolean): OutgoingMessage {
  if (item.kind === 'malformed') return malformed(feed, topics, item);
  const { value, receivedAt } = item;
  const topic = topicOf(topics, item.kind);
  const id = deriveId(`feed ${feed.name}`, topic, value.symbol, value.time, ordinalOf(item));
  const told = [feed.name, isLive ? 'hot' : 'cold', value.venue, '1', '1', id, beginningTrace(id)];
  const headers = MessageHeaders.from(toldNames, told);
  return {
    topic,
    key: value.symbol,
    payload: Buffer.from(JSON.stringify(value)),
    timestamp: value.time,
    id,
    headers: receivedAt === undefined ? headers : headers.append('ingest-time', String(receivedAt)),
    // A message that gave up waiting while those behind it are stored would come too late.
    patient: true,
  };
}

const feedStage = 'feed';

/** Stands where the name of the pipeline does in dead letters; no pipeline is called so. */
function senderOf({ name }: Feed): string {
  return `feed ${name}`;
}

/** Whether a dead letter is of a feed. */
export function isOfFeed(headers: MessageHeaders): boolean {
  return headers.get(dlqHeaders.pipeline)?.startsWith('feed ') === true;
}

/** How much of a payload that is too large goes into its dead letter, bytes. */
const keptBytes = 64 * 1024;

/** What is stored of a message that its topic does not take: why, and how it begins. */
export function refusedLetter(
  feed: Feed,
  topics: FeedTopics,
  message: OutgoingMessage,
  reason: string,
): OutgoingMessage {
  const size = message.payload?.length ?? 0;
  return {
    topic: topics.deadLetters,
    key: message.key,
    payload: message.payload?.subarray(0, keptBytes) ?? null,
    reserved: true,
    lasting: true,
    ...(message.timestamp !== undefined && { timestamp: message.timestamp }),
    headers: MessageHeaders.of([
      ...(message.headers ?? []),
      ...Object.entries({
        [dlqHeaders.originTopic]: message.topic,
        [dlqHeaders.pipeline]: senderOf(feed),
        [dlqHeaders.stage]: feedStage,
        [dlqHeaders.failure]: 'publish',
        [dlqHeaders.reason]: size > keptBytes ? `${reason}; the first ${keptBytes} bytes are kept` : reason,
      }),
    ]),
  };
}

function topicOf(topics: FeedTopics, kind: 'price' | 'trade' | 'book'): string {
  switch (kind) {
    case 'price':
      return topics.prices;
    case 'trade':
      return topics.trades;
    case 'book':
      return topics.books;
  }
}

/** What tells apart two items of one symbol and time; a repetition has the same. */
function ordinalOf(item: Exclude<Told, { readonly kind: 'malformed' }>): string {
  switch (item.kind) {
    case 'price':
      return `${item.value.venue} ${item.value.intervalMs ?? 0} ${item.value.price} ${item.value.bid ?? ''} ${item.value.ask ?? ''}`;
    case 'trade':
      return `${item.value.venue} ${item.value.tradeId ?? `${item.value.side} ${item.value.price} ${item.value.size}`}`;
    case 'book':
      return `${item.value.venue} ${item.value.sequence ?? topOf(item.value)}`;
  }
}

/** Books of venues without sequence numbers are told apart by their best levels. */
function topOf({ bids, asks }: OrderBook): string {
  return `${String(bids[0])} ${String(asks[0])} ${bids.length} ${asks.length}`;
}

function malformed(
  feed: Feed,
  topics: FeedTopics,
  { raw, reason, place }: Extract<Told, { readonly kind: 'malformed' }>,
): OutgoingMessage {
  return {
    topic: topics.deadLetters,
    key: null,
    payload: raw,
    // Not the bus's: those of one sender begin alike, and people name a letter by how its id begins.
    id: deriveId(senderOf(feed), topics.deadLetters, null, 0, `${place}: ${reason}`),
    reserved: true,
    lasting: true,
    headers: MessageHeaders.of({
      [dlqHeaders.originTopic]: topics.prices,
      [dlqHeaders.pipeline]: senderOf(feed),
      [dlqHeaders.stage]: feedStage,
      [dlqHeaders.failure]: 'decode',
      [dlqHeaders.reason]: `${place}: ${reason}`,
    }),
  };
}
