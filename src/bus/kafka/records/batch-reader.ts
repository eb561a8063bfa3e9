import { isUtf8 } from 'node:buffer';
import type { HeaderValue } from '../../../core/headers.ts';
import type { StoredRecord } from '../driver.ts';
import { attribute, batchAt, lengthFrom, magic } from './batch-format.ts';
import { codecOf, compressionOf } from './compression.ts';
import { crc32c } from './crc32c.ts';

/** A transaction that was aborted: whose, and where its records begin. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What batches hold. */
export interface ReadBatches {
  readonly records: readonly StoredRecord[];
  /** Past the last batch, whose last records may be gone; undefined where there is none. */
  readonly nextOffset: number | undefined;
}

/** A batch is not as it was written, or not in a format that is read here. */
export class BrokenBatch extends Error {
  override readonly name = 'BrokenBatch';
}

/**
 * The records in batches as a broker sends them: the first may begin before the offset that was asked for, the last
 * may be cut off. What belongs to an aborted transaction is left out, and so are the marks of transactions.
 *
 * @throws BrokenBatch
 */
export async function readBatches(
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
): Promise<ReadBatches> {
  const records: StoredRecord[] = [];
  const transactions = new AbortedTransactions(aborted);
  let nextOffset: number | undefined;
  for (let at = 0; at + batchAt.records <= bytes.length;) {
    const end = at + lengthFrom + bytes.readInt32BE(at + batchAt.length);
    if (end > bytes.length) break;
    if (end < at + batchAt.records)
      throw new BrokenBatch(`a batch of ${end - at} bytes is shorter than its head`);
    const batch = new Batch(bytes.subarray(at, end));
    if (transactions.keeps(batch)) readRecords(batch, await batch.content(), records);
    nextOffset = batch.nextOffset;
    at = end;
  }
  return { records, nextOffset };
}

/** What stands in front of a batch's records. */
class Batch {
  readonly baseOffset: number;
  /** Past its last record, which may be gone. */
  readonly nextOffset: number;
  readonly producerId: bigint;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #attributes: number;
  readonly #baseTime: number;
  readonly #logTime: number | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.baseOffset = numberAt(bytes, batchAt.baseOffset);
    const format = bytes[batchAt.magic];
    if (format !== magic) {
      throw new BrokenBatch(
        `the batch at offset ${this.baseOffset} is of format ${format}, from before Kafka 0.11: only format 2 is read`,
      );
    }
    if (bytes.readUInt32BE(batchAt.crc) !== crc32c(bytes, batchAt.attributes)) {
      throw new BrokenBatch(
        `the batch at offset ${this.baseOffset} is not as it was written: its checksum differs`,
      );
    }
    this.#attributes = bytes.readInt16BE(batchAt.attributes);
    this.producerId = bytes.readBigInt64BE(batchAt.producerId);
    this.isControl = (this.#attributes & attribute.control) !== 0;
    this.isTransactional = (this.#attributes & attribute.transactional) !== 0;
    this.count = bytes.readInt32BE(batchAt.count);
    this.nextOffset = this.baseOffset + bytes.readInt32BE(batchAt.lastOffsetDelta) + 1;
    this.#baseTime = numberAt(bytes, batchAt.baseTimestamp);
    const isLogTime = (this.#attributes & attribute.logAppendTime) !== 0;
    this.#logTime = isLogTime ? numberAt(bytes, batchAt.maxTimestamp) : undefined;
  }

  /** By the delta of a record: its log time or create time, as the topic is set. */
  timeOf(delta: number): number {
    return this.#logTime ?? this.#baseTime + delta;
  }

  /** The records, unpacked. */
  async content(): Promise<Buffer> {
    const packed = this.#bytes.subarray(batchAt.records);
    const number = this.#attributes & attribute.compression;
    const compression = compressionOf(number);
    if (compression === 'none') return packed;
    if (compression !== undefined) return codecOf(compression).decompress(packed);
    throw new BrokenBatch(
      `the batch at offset ${this.baseOffset} is packed by an unknown codec, number ${number}`,
    );
  }
}

/** Which batches belong to transactions that were aborted: from the first of each to its mark. */
class AbortedTransactions {
  readonly #starts: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#starts = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** To be asked of each batch in order. */
  keeps({ nextOffset, producerId, isControl, isTransactional }: Batch): boolean {
    for (
      let next = this.#starts[0];
      next !== undefined && next.firstOffset < nextOffset;
      next = this.#starts[0]
    ) {
      this.#open.add(next.producerId);
      this.#starts.shift();
    }
    // A mark ends whatever its producer had open: where that was committed, nothing was.
    if (isControl) this.#open.delete(producerId);
    return !isControl && !(isTransactional && this.#open.has(producerId));
  }
}

function readRecords(batch: Batch, content: Buffer, into: StoredRecord[]): void {
  const reader = new RecordReader(content, batch.baseOffset);
  for (let i = 0; i < batch.count; i++) into.push(reader.record(batch));
}

/**
 * Not an object literal: V8 takes those to be long-lived once they have been for a while, as while a reader catches up,
 * and from then on whatever a record belongs to stays in memory until a full garbage collection.
 */
class ReadRecord implements StoredRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: HeaderValue | null;
  readonly value: Buffer | null;
  readonly headers: readonly HeaderValue[];

  constructor(
    offset: number,
    timestamp: number,
    key: HeaderValue | null,
    value: Buffer | null,
    headers: readonly HeaderValue[],
  ) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.key = key;
    this.value = value;
    this.headers = headers;
  }
}

const none: readonly HeaderValue[] = [];

/** Reads records one behind the other. */
class RecordReader {
  readonly #bytes: Buffer;
  readonly #baseOffset: number;
  #at = 0;

  constructor(bytes: Buffer, baseOffset: number) {
    this.#bytes = bytes;
    this.#baseOffset = baseOffset;
  }

  record(batch: Batch): StoredRecord {
    const end = this.#end(this.#varint());
    this.#at++; // attributes, of which there are none yet
    const timestamp = batch.timeOf(this.#varint());
    const offset = this.#baseOffset + this.#varint();
    const key = this.#text(this.#varint());
    const value = this.#slice(this.#varint());
    const headers = this.#headers(this.#varint());
    this.#at = end;
    return new ReadRecord(offset, timestamp, key, value, headers);
  }

  #headers(count: number): readonly HeaderValue[] {
    if (count <= 0) return none;
    const headers: HeaderValue[] = [];
    for (let i = 0; i < count; i++) {
      headers.push(this.#text(this.#varint()) ?? '');
      headers.push(this.#text(this.#varint()) ?? '');
    }
    return headers;
  }

  #slice(length: number): Buffer | null {
    if (length < 0) return null;
    const start = this.#at;
    this.#at = this.#end(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Bytes that are text become text: what they were can be had from it again. */
  #text(length: number): HeaderValue | null {
    if (length < 0) return null;
    const start = this.#at;
    const end = (this.#at = this.#end(length));
    if (this.#isShortAscii(start, end)) return this.#bytes.toString('latin1', start, end);
    const bytes = this.#bytes.subarray(start, end);
    return isUtf8(bytes) ? bytes.toString() : bytes;
  }

  #isShortAscii(start: number, end: number): boolean {
    if (end - start > 64) return false;
    for (let at = start; at < end; at++) if ((this.#bytes[at] as number) > 0x7f) return false;
    return true;
  }

  /** Where so many bytes from here end. */
  #end(length: number): number {
    const end = this.#at + length;
    if (end >= this.#at && end <= this.#bytes.length) return end;
    throw new BrokenBatch(`a record of the batch at offset ${this.#baseOffset} ends past its batch`);
  }

  /** Zigzag, of up to 64 bits, of which no more than 53 are used anywhere. */
  #varint(): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let bytes = 0; bytes < 10; bytes++) {
      const next = this.#bytes[this.#at++];
      if (next === undefined) break;
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new BrokenBatch(`a number in the batch at offset ${this.#baseOffset} has no end`);
  }
}

function numberAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
