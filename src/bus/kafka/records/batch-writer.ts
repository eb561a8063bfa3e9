import type { HeaderValue } from '../../../core/headers.ts';
import type { Compression, WireRecord } from '../driver.ts';
import { attribute, batchAt, lengthFrom, magic } from './batch-format.ts';
import { codecOf, numberOf } from './compression.ts';
import { crc32c } from './crc32c.ts';

/** By what brokers know whose batch it is, and whether they have it already. */
export interface BatchOrigin {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The number of the first record in its partition. */
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

export interface BatchSettings {
  readonly compression: Compression;
  /** Of producers without an id there is none. */
  readonly origin: BatchOrigin | undefined;
  /** When the records were made, ms; topics in log time put their own in its place. */
  readonly timestamp: number;
}

/**
 * Records as one batch of Kafka's format 2, to be stored in this order. Headers stay in theirs, also where names
 * repeat.
 */
export async function writeBatch(records: readonly WireRecord[], settings: BatchSettings): Promise<Buffer> {
  const { compression } = settings;
  let size = 0;
  for (const record of records) size += sizeAtMost(record);
  const writer = new RecordWriter(Buffer.allocUnsafe(batchAt.records + size), batchAt.records);
  for (let i = 0; i < records.length; i++) writer.write(records[i] as WireRecord, i);
  if (compression === 'none') return sealed(writer.written, records.length, settings);
  const packed = await codecOf(compression).compress(writer.written.subarray(batchAt.records));
  return sealed(Buffer.concat([Buffer.allocUnsafe(batchAt.records), packed]), records.length, settings);
}

/** Writes what stands in front of the records. */
function sealed(batch: Buffer, count: number, { compression, origin, timestamp }: BatchSettings): Buffer {
  const transactional = origin?.isTransactional === true ? attribute.transactional : 0;
  batch.fill(0, 0, batchAt.length);
  batch.writeInt32BE(batch.length - lengthFrom, batchAt.length);
  batch.writeInt32BE(-1, batchAt.leaderEpoch);
  batch.writeInt8(magic, batchAt.magic);
  batch.writeInt16BE(numberOf(compression) | transactional, batchAt.attributes);
  batch.writeInt32BE(count - 1, batchAt.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(timestamp), batchAt.baseTimestamp);
  batch.writeBigInt64BE(BigInt(timestamp), batchAt.maxTimestamp);
  batch.writeBigInt64BE(origin?.producerId ?? -1n, batchAt.producerId);
  batch.writeInt16BE(origin?.producerEpoch ?? -1, batchAt.producerEpoch);
  batch.writeInt32BE(origin?.firstSequence ?? -1, batchAt.baseSequence);
  batch.writeInt32BE(count, batchAt.count);
  batch.writeUInt32BE(crc32c(batch, batchAt.attributes), batchAt.crc);
  return batch;
}

/** Of lengths and deltas, at their largest. */
const varintBytes = 5;
/** Of the size of a record of 64 to 8,191 bytes. */
const usualSizeBytes = 2;
/** The longest text whose length is told by one byte. */
const shortText = 63;

function sizeAtMost({ key, value, headers }: WireRecord): number {
  let size = 2 + 5 * varintBytes + mostOf(key) + (value?.length ?? 0);
  for (const part of headers) size += varintBytes + mostOf(part);
  return size;
}

function mostOf(part: HeaderValue | null): number {
  if (part === null) return 0;
  return typeof part === 'string' ? part.length * 3 : part.length;
}

/** Writes records one behind the other. All have the time of their batch: each has a delta of 0. */
class RecordWriter {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, start: number) {
    this.#buffer = buffer;
    this.#at = start;
  }

  get written(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  write({ key, value, headers }: WireRecord, offsetDelta: number): void {
    const start = this.#at;
    this.#at += usualSizeBytes;
    this.#buffer[this.#at++] = 0;
    this.#buffer[this.#at++] = 0;
    this.#varint(offsetDelta);
    this.#field(key);
    this.#field(value);
    this.#varint(headers.length / 2);
    for (let i = 0; i < headers.length; i++) this.#field(headers[i] as HeaderValue);
    this.#sizeInFront(start);
  }

  /** A record's size, known behind it, stands in front of it: one of another length than most moves the record. */
  #sizeInFront(start: number): void {
    const content = start + usualSizeBytes;
    const end = this.#at;
    const size = end - content;
    const sizeBytes = varintSize(size);
    if (sizeBytes !== usualSizeBytes) this.#buffer.copyWithin(start + sizeBytes, content, end);
    this.#at = start;
    this.#varint(size);
    this.#at += size;
  }

  #field(part: HeaderValue | null): void {
    if (part === null) {
      this.#varint(-1);
    } else if (typeof part === 'string') {
      this.#text(part);
    } else {
      this.#varint(part.length);
      this.#buffer.set(part, this.#at);
      this.#at += part.length;
    }
  }

  /** What is short and plain is written faster from here than by a call into Node. */
  #text(text: string): void {
    if (text.length <= shortText) {
      const end = writeAscii(text, this.#buffer, this.#at + 1);
      if (end !== undefined) {
        this.#buffer[this.#at] = text.length << 1;
        this.#at = end;
        return;
      }
    }
    this.#varint(Buffer.byteLength(text));
    this.#at += this.#buffer.write(text, this.#at);
  }

  #varint(value: number): void {
    let rest = zigzag(value);
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }
}

/** Where the text ends that begins there; undefined, and nothing is to be heeded of what was written, if it is not plain. */
function writeAscii(text: string, into: Buffer, start: number): number | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    into[start + i] = code;
  }
  return start + text.length;
}

function varintSize(value: number): number {
  const rest = zigzag(value);
  if (rest < 0x80) return 1;
  if (rest < 0x4000) return 2;
  if (rest < 0x20_0000) return 3;
  return rest < 0x1000_0000 ? 4 : 5;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}
