import * as t from 'io-ts';
import type { FeedItem } from '../feed.ts';
import { MarketPrice, MarketTrade, OrderBook } from '../market-data.ts';
import { numberOf } from '../venues/decoding.ts';
import type { RowDecoder } from './row-source.ts';

const Recorded = t.intersection([
  t.type({ topic: t.string, value: t.unknown }),
  t.partial({ headers: t.unknown }),
]);

const Pair = t.tuple([t.literal('ingest-time'), t.string]);

/** The time of receipt that a message's headers, as a record or as pairs, carry. */
function receivedAt(headers: unknown): { readonly receivedAt?: number } {
  const pairs: readonly unknown[] = Array.isArray(headers) ? headers : [];
  const text = t.UnknownRecord.is(headers) ? headers['ingest-time'] : pairs.find(each => Pair.is(each))?.[1];
  const time = numberOf(text);
  return Number.isFinite(time) ? { receivedAt: time } : {};
}

function valueOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function itemOf(
  topic: string,
  value: unknown,
  received: { readonly receivedAt?: number },
): FeedItem | string {
  if (topic.endsWith('market-trades')) {
    return MarketTrade.is(value) ? { kind: 'trade', value, ...received } : 'the value is no trade';
  }
  if (topic.endsWith('market-orderbook')) {
    return OrderBook.is(value) ? { kind: 'book', value, ...received } : 'the value is no order book';
  }
  return MarketPrice.is(value) ? { kind: 'price', value, ...received } : 'the value is no price';
}

/** Whether a topic, whatever its prefix, is one that feeds write. */
export const isFeedTopic = (topic: string): boolean => /(^|-)market-(prices|trades|orderbook)$/.test(topic);

/**
 * Messages as they are recorded from topics: `{topic, partition, offset, key, timestamp, headers, value}`.
 * Markers and topics that no feed writes are passed over: who reads makes its own.
 */
export const recordedDecoder: RowDecoder = text => {
  try {
    const message: unknown = JSON.parse(text);
    if (!Recorded.is(message)) return 'the line is no recorded message: it has no topic and value';
    if (!isFeedTopic(message.topic) || message.value === null) return undefined;
    return itemOf(message.topic, valueOf(message.value), receivedAt(message.headers));
  } catch (error) {
    return `the line is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
};
