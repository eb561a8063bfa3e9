import { hash } from 'node:crypto';
import type { MessageHeaders } from './headers.ts';

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** The identity of a message: 32 lower-case hex digits, the same again when its inputs are replayed. */
export type MessageId = Branded<string, 'MessageId'>;
/** The position of a message within its partition. */
export type Offset = Branded<number, 'Offset'>;
/** The index of a partition within its topic, from 0. */
export type Partition = Branded<number, 'Partition'>;
/** The payload of a message; null is a tombstone. */
export type Bytes = Uint8Array | null;

/** What a topic holds. */
export interface Message {
  readonly id: MessageId;
  readonly topic: string;
  readonly partition: Partition;
  readonly offset: Offset;
  readonly key: string | null;
  readonly payload: Bytes;
  readonly headers: MessageHeaders;
  /** Event time, milliseconds since the epoch, UTC. */
  readonly timestamp: number;
  /** When the backend stored it, by the backend's clock; retention and start-from-time go by it. */
  readonly logTime: number;
}

/** A message on its way to a topic; what is left out is filled in by the bus. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string | null;
  readonly payload: Bytes;
  readonly headers?: MessageHeaders;
  /** Event time in milliseconds; default: the time of publishing. */
  readonly timestamp?: number;
  /** Default: a new id. */
  readonly id?: MessageId;
  /** Default: by the key, as Kafka's partitioner does; without a key, in turn. */
  readonly partition?: number;
  /** Waits for room however long it takes: for senders whose own input is bounded. */
  readonly patient?: boolean;
  /** May use the room kept for retries and dead letters when the partition is full. */
  readonly reserved?: boolean;
  /**
   * Is nowhere else, as a dead letter: an embedded bus drops nothing of a partition that takes such messages to make
   * room, but makes senders wait, until the topic's own retention lets some go.
   */
  readonly lasting?: boolean;
}

export function messageId(text: string): MessageId {
  return text as MessageId;
}

/** A place in a partition, counted from 0, as a reader is told where to begin. */
export function offset(value: number): Offset {
  return value as Offset;
}

export function partition(value: number): Partition {
  return value as Partition;
}

/**
 * The id that a pipeline gives its output: the first 128 bits of the SHA-256 of where it comes from.
 *
 * @param ordinal distinguishes outputs that share pipeline, topic, key and event time
 */
export function deriveId(
  pipeline: string,
  topic: string,
  key: string | null,
  eventTime: number,
  ordinal: number | string = 0,
): MessageId {
  // NUL is in no topic's name: what has no key cannot look like what has one, an empty one for instance.
  const place = key === null ? `${topic}\u0000` : `${topic}|${key}`;
  return messageId(hash('sha256', `${pipeline}|${place}|${eventTime}|${ordinal}`, 'hex').slice(0, 32));
}
