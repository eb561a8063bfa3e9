import { isAscii, isUtf8 } from 'node:buffer';
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
import { keyBytes, keyText } from './key-text.ts';

/** Headers in which a record carries what Kafka has no field for; they are not among a message's own. */
const eventTimeHeader = 'event-time';
const idHeader = 'message-id';

const legalId = /^[0-9a-f]{32}$/;

/** The message as a record; its own headers first, so that ours are the last of their names. */
export function recordOf(message: OutgoingMessage, id: MessageId, now: number): WireRecord {
  const { key, payload, headers, timestamp = now } = message;
  return {
    key: key === null ? null : keyBytes(key),
    value: payload,
    headers: [...(headers?.toFlat() ?? []), eventTimeHeader, String(timestamp), idHeader, id],
  };
}

/** How large a record is on the wire, about: lengths and deltas are taken at their largest. */
export function sizeOf({ key, value, headers }: WireRecord): number {
  let size = 24 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const part of headers) size += 5 + (typeof part === 'string' ? Buffer.byteLength(part) : part.length);
  return size;
}

/**
 * The record as a message. One that another program wrote has no event time, which then is the time of the
 * record, and no id, which then is made of its place: the same at each delivery.
 */
export function messageOf({ topic, partition: index }: TopicPartition, record: StoredRecord): Message {
  const names: string[] = [];
  const values: HeaderValue[] = [];
  let [eventTime, id]: [number | undefined, MessageId | undefined] = [undefined, undefined];
  // From the end: only the last of a name is ours.
  for (let i = record.headers.length - 2; i >= 0; i -= 2) {
    const name = textOf(record.headers[i] ?? '');
    const value = textOf(record.headers[i + 1] ?? '');
    if (eventTime === undefined && name === eventTimeHeader && isTime(value)) eventTime = Number(value);
    else if (id === undefined && name === idHeader && isId(value)) id = messageId(value);
    else {
      names.push(typeof name === 'string' ? name : Buffer.from(name).toString());
      values.push(value);
    }
  }
  return {
    id: id ?? idOfPlace(topic, index, record.offset),
    topic,
    partition: partition(index),
    offset: offset(record.offset),
    key: record.key === null ? null : keyText(record.key),
    payload: record.value,
    headers: MessageHeaders.from(names.reverse(), values.reverse()),
    timestamp: eventTime ?? record.timestamp,
    logTime: record.timestamp,
  };
}

/** Bytes that are text become text: what they were can be had from it again. */
function textOf(value: HeaderValue): HeaderValue {
  if (typeof value === 'string') return value;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

function isTime(value: HeaderValue): value is string {
  return typeof value === 'string' && value !== '' && Number.isFinite(Number(value));
}

function isId(value: HeaderValue): value is string {
  return typeof value === 'string' && legalId.test(value);
}

const topicDigests = new Map<string, string>();

function idOfPlace(topic: string, index: number, at: number): MessageId {
  let digest = topicDigests.get(topic);
  if (digest === undefined) {
    digest = hash('sha256', topic, 'hex').slice(0, 14);
    topicDigests.set(topic, digest);
  }
  return messageId(digest + index.toString(16).padStart(4, '0') + at.toString(16).padStart(14, '0'));
}
