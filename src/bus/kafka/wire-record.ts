import { hash } from 'node:crypto';
import { type HeaderValue, MessageHeaders } from '../../core/headers.ts';
import {
  type Message,
  type MessageId,
  type OutgoingMessage,
  messageId,
  offset,
  partition,
} from '../../core/message.ts';
import type { TopicPartition } from '../event-bus.ts';
import type { StoredRecord, WireRecord } from './driver.ts';
import { keyText, wireKey } from './key-text.ts';

/** Headers in which a record carries what Kafka has no field for; they are not among a message's own. */
const eventTimeHeader = 'event-time';
const idHeader = 'message-id';

const legalId = /^[0-9a-f]{32}$/;
/** What ours take: names, values, and the lengths of both. */
const oursParts = 4;
const oursBytes = 5 * oursParts + eventTimeHeader.length + 24 + idHeader.length + 32;

/** The message as a record; its own headers first, so that ours are the last of their names. */
export function recordOf(message: OutgoingMessage, id: MessageId, now: number): WireRecord {
  const { key, payload, headers, timestamp = now } = message;
  const ours = [eventTimeHeader, String(timestamp), idHeader, id];
  return {
    key: key === null ? null : wireKey(key),
    value: payload,
    headers: headers === undefined || headers.size === 0 ? ours : [...headers.toFlat(), ...ours],
  };
}

/** How large a record is on the wire, about: lengths and deltas are taken at their largest. */
export function sizeOf({ key, value, headers }: WireRecord): number {
  let size = 24 + sizeOfPart(key ?? '') + (value?.length ?? 0) + oursBytes;
  for (let i = 0; i < headers.length - oursParts; i++) size += 5 + sizeOfPart(headers[i] ?? '');
  return size;
}

function sizeOfPart(part: HeaderValue): number {
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length;
}

/**
 * The record as a message. One that another program wrote has no event time, which then is the time of the
 * record, and no id, which then is made of its place: the same at each delivery.
 */
export function messageOf(place: TopicPartition, record: StoredRecord): Message {
  const { headers } = record;
  const names: string[] = [];
  const values: HeaderValue[] = [];
  let [eventTime, id]: [number | undefined, MessageId | undefined] = [undefined, undefined];
  // From the end: only the last of a name is ours.
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    if (eventTime === undefined && name === eventTimeHeader && isTime(value)) eventTime = Number(value);
    else if (id === undefined && name === idHeader && isId(value)) id = messageId(value);
    else {
      names.push(typeof name === 'string' ? name : Buffer.from(name).toString());
      values.push(value);
    }
  }
  return new ReadMessage(
    place,
    record,
    id ?? idOfPlace(place, record.offset),
    eventTime ?? record.timestamp,
    MessageHeaders.from(names.reverse(), values.reverse()),
  );
}

/** Not an object literal, for the reason that records are none. */
class ReadMessage implements Message {
  readonly id: MessageId;
  readonly topic: string;
  readonly partition: Message['partition'];
  readonly offset: Message['offset'];
  readonly key: string | null;
  readonly payload: Message['payload'];
  readonly headers: MessageHeaders;
  readonly timestamp: number;
  readonly logTime: number;

  constructor(
    place: TopicPartition,
    record: StoredRecord,
    id: MessageId,
    timestamp: number,
    headers: MessageHeaders,
  ) {
    const { key, value } = record;
    this.id = id;
    this.topic = place.topic;
    this.partition = partition(place.partition);
    this.offset = offset(record.offset);
    this.key = typeof key === 'string' || key === null ? key : keyText(key);
    this.payload = value;
    this.headers = headers;
    this.timestamp = timestamp;
    this.logTime = record.timestamp;
  }
}

function isTime(value: HeaderValue): value is string {
  return typeof value === 'string' && value !== '' && Number.isFinite(Number(value));
}

function isId(value: HeaderValue): value is string {
  return typeof value === 'string' && legalId.test(value);
}

const topicDigests = new Map<string, string>();

function idOfPlace({ topic, partition: index }: TopicPartition, at: number): MessageId {
  let digest = topicDigests.get(topic);
  if (digest === undefined) {
    digest = hash('sha256', topic, 'hex').slice(0, 14);
    topicDigests.set(topic, digest);
  }
  return messageId(digest + index.toString(16).padStart(4, '0') + at.toString(16).padStart(14, '0'));
}
