import { MessageHeaders, type HeaderValue } from '../core/headers.ts';
import { type Bytes, type Message, type MessageId, messageId, offset, partition } from '../core/message.ts';
import type { LogRecord } from './frame.ts';
import { RecordReader } from './record-reader.ts';
import { RecordWriter } from './record-writer.ts';

/*
 * A message as the body of a log record: flags u8, event time f64, id, key, headers, payload. Offset and log time
 * are the record's own. Lengths are LEB128; the payload is what remains.
 */
const flag = { key: 1, payload: 2, shortId: 4 } as const;
const knownFlags = flag.key | flag.payload | flag.shortId;

/** A larger batch gets memory for itself, given back afterwards. */
const keptBytes = 4 * 1024 * 1024;
/** Flags, event time, and the longest forms of the lengths of id, key and headers. */
const fixedBytes = 9 + 3 * 5;
const shortIdBytes = 16;

/** What a record tells of a message; where the message stands is told by the log. */
export interface MessageContent {
  readonly id: MessageId;
  readonly key: string | null;
  readonly payload: Bytes;
  readonly headers: MessageHeaders;
  readonly timestamp: number;
}

/** Writes batches of messages, all into one piece of memory that is used again for the next. */
export class RecordEncoder {
  #memory: Buffer = Buffer.alloc(0);

  /** The records of a batch; valid until the next call. */
  encode(messages: readonly Message[]): LogRecord[] {
    let bound = 0;
    for (const message of messages) bound += contentBound(message);
    const buffer = this.#room(bound);
    const writer = new RecordWriter(buffer);
    return messages.map(message => {
      const start = writer.at;
      writeContent(writer, message);
      return { offset: message.offset, time: message.logTime, body: buffer.subarray(start, writer.at) };
    });
  }

  #room(bytes: number): Buffer {
    if (bytes <= this.#memory.length) return this.#memory;
    if (bytes > keptBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#memory = Buffer.allocUnsafeSlow(Math.max(64 * 1024, 2 ** Math.ceil(Math.log2(bytes))));
    return this.#memory;
  }
}

/**
 * The message that a record holds; its payload is a view of the record's body.
 *
 * @throws RangeError where the body is none of ours
 */
export function decodeRecord(topic: string, partitionIndex: number, record: LogRecord): Message {
  const { id, key, payload, headers, timestamp } = readContent(new RecordReader(record.body), record.offset);
  return {
    id,
    topic,
    partition: partition(partitionIndex),
    offset: offset(record.offset),
    key,
    payload,
    headers,
    timestamp,
    logTime: record.time,
  };
}

/**
 * The content that the rest of a record holds; its payload is a view of the record's body.
 *
 * @param at the record's offset, for errors
 * @throws RangeError where it is none of ours
 */
export function readContent(reader: RecordReader, at: number): MessageContent {
  const flags = readFlags(reader, at);
  const timestamp = reader.float();
  const id = (flags & flag.shortId) === 0 ? reader.text() : reader.hex(shortIdBytes);
  const key = (flags & flag.key) === 0 ? null : reader.text();
  const headers = readHeaders(reader);
  const payload = (flags & flag.payload) === 0 ? null : reader.rest();
  return { id: messageId(id), key, payload, headers, timestamp };
}

/** Only the key of the message that a record holds. @throws RangeError where the body is none of ours */
export function keyOfRecord(record: LogRecord): string | null {
  const reader = new RecordReader(record.body);
  const flags = readFlags(reader, record.offset);
  if ((flags & flag.key) === 0) return null;
  reader.float();
  if ((flags & flag.shortId) === 0) reader.bytes();
  else reader.skip(shortIdBytes);
  return reader.text();
}

/** Bytes that the content takes at most. */
export function contentBound({ id, key, payload, headers }: MessageContent): number {
  const bound = fixedBytes + 3 * (id.length + (key?.length ?? 0)) + (payload?.length ?? 0);
  return bound + 3 * headers.length + 10 * headers.size;
}

/** Writes the content as the last part of a record. */
export function writeContent(writer: RecordWriter, content: MessageContent): void {
  const { id, key, payload, timestamp, headers } = content;
  const flagsAt = writer.at;
  let flags = (key === null ? 0 : flag.key) | (payload === null ? 0 : flag.payload);
  writer.byte(0);
  writer.float(timestamp);
  if (writer.hex(id, shortIdBytes)) flags |= flag.shortId;
  else writer.text(id);
  if (key !== null) writer.text(key);
  writeHeaders(writer, headers);
  if (payload !== null) writer.raw(payload);
  writer.byteAt(flagsAt, flags);
}

/** Each name, then its value as length * 2 + 1 where it is bytes, else length * 2 of its UTF-8. */
function writeHeaders(writer: RecordWriter, headers: MessageHeaders): void {
  const flat = headers.toFlat();
  writer.length(flat.length / 2);
  for (let i = 0; i < flat.length; i++) {
    const part = flat[i] ?? '';
    if (i % 2 === 0 && typeof part === 'string') writer.text(part);
    else writer.textOrBytes(part);
  }
}

function readHeaders(reader: RecordReader): MessageHeaders {
  const count = reader.length();
  if (count === 0) return MessageHeaders.empty;
  const names: string[] = [];
  const values: HeaderValue[] = [];
  for (let i = 0; i < count; i++) {
    names.push(reader.text());
    values.push(reader.textOrBytes());
  }
  return MessageHeaders.from(names, values);
}

function readFlags(reader: RecordReader, at: number): number {
  const flags = reader.byte();
  if ((flags & ~knownFlags) === 0) return flags;
  throw new RangeError(
    `record ${at} begins with flags ${flags}, which this version does not know: read it with the version that wrote it`,
  );
}
