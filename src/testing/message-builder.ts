import { MessageHeaders } from '../core/headers.ts';
import { type Message, messageId, offset, partition } from '../core/message.ts';

/** What a test may say of a message; the rest has defaults. */
export interface MessageSpec {
  /** Default `test`. */
  readonly topic?: string;
  /** Default 0. */
  readonly partition?: number;
  /** Default 0. */
  readonly offset?: number;
  /** Default `key`. */
  readonly key?: string | null;
  /** Default: empty. Text is written as UTF-8. */
  readonly payload?: Uint8Array | string | null;
  readonly headers?: MessageHeaders | Readonly<Record<string, string>>;
  /** Event time, ms; default 0. */
  readonly timestamp?: number;
  /** Default: the event time. */
  readonly logTime?: number;
  /** Default: made of topic, partition and offset. */
  readonly id?: string;
}

/**
 * A message of which only what matters need be said.
 *
 * @example
 * messageOf({ key: 'BTC-USD', payload: '{"price":1}' })
 */
export function messageOf(spec: MessageSpec = {}): Message {
  const place = { topic: spec.topic ?? 'test', partition: spec.partition ?? 0, offset: spec.offset ?? 0 };
  const { key = 'key', payload = '', timestamp = 0, headers } = spec;
  return {
    id: messageId(spec.id ?? idOf(place)),
    topic: place.topic,
    partition: partition(place.partition),
    offset: offset(place.offset),
    key,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    headers: headers instanceof MessageHeaders ? headers : MessageHeaders.of(headers ?? {}),
    timestamp,
    logTime: spec.logTime ?? timestamp,
  };
}

/** 32 hex digits that tell one place from another. */
function idOf(place: { topic: string; partition: number; offset: number }): string {
  const topic = Buffer.from(place.topic).toString('hex').slice(0, 16).padEnd(16, '0');
  return topic + place.partition.toString(16).padStart(4, '0') + place.offset.toString(16).padStart(12, '0');
}
