import type { LogRecord } from '../log/frame.ts';
import { readContent, writeContent } from '../log/message-record.ts';
import { RecordReader } from '../log/record-reader.ts';
import { RecordWriter } from '../log/record-writer.ts';
import { type BlockCipher, keyIdOfBlock, OtherKeyError } from './block-cipher.ts';
import type { KeptMessage, SpillEntry } from './spill-entry.ts';

/*
 * A record is a block of messages and has the offset of its last one: kind u8 (plain, or sealed by the cipher), then
 * count u32 and the ends of all messages u32, then each message: flags u8, topic, partition where it has one, content.
 * Plain blocks hold one message, so that damage costs one. Setting up a cipher costs more than the rest of several
 * messages: sealed blocks hold up to 16.
 */
const kind = { plain: 1, sealed: 2 } as const;
const flag = { partition: 1, patient: 2, reserved: 4, lasting: 8 } as const;
const knownFlags = flag.partition | flag.patient | flag.reserved | flag.lasting;
const countBytes = 4;
const endBytes = 4;
const sealedMessages = 16;
const sealedBytes = 16 * 1024;

/** Memory that is used again for the next batch; a larger one gets memory for itself. */
const keptBytes = 4 * 1024 * 1024;

/** Turns batches of messages into records and back. */
export class BlockCodec {
  /** A block holds no more messages, whichever way it was written. */
  static readonly mostMessages: number = sealedMessages;
  readonly #cipher: BlockCipher | undefined;
  #memory: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(cipher: BlockCipher | undefined) {
    this.#cipher = cipher;
  }

  /** The id of the key that seals blocks now; undefined where they are plain. */
  get keyId(): string | undefined {
    return this.#cipher?.keyId;
  }

  /** How many messages a block holds at most. */
  get blockMessages(): number {
    return this.#cipher === undefined ? 1 : sealedMessages;
  }

  /** The records of a batch whose first message has offset `from`; valid until the next call. */
  encode(entries: readonly SpillEntry[], from: number): LogRecord[] {
    const buffer = this.#room(entries);
    const records: LogRecord[] = [];
    let at = 0;
    for (let done = 0; done < entries.length;) {
      const count = this.#take(entries, done);
      const end = this.#block(entries, done, count, buffer, at);
      const offset = from + done + count - 1;
      records.push({ offset, time: entries[done]?.time ?? 0, body: buffer.subarray(at, end) });
      done += count;
      at = end;
    }
    return records;
  }

  /**
   * The messages of a block, in order; payloads are views of memory that they keep.
   *
   * @throws OtherKeyError where another key is needed
   * @throws Error where the block is none of ours
   */
  decode({ body, offset }: LogRecord): KeptMessage[] {
    const block = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
    const plain = this.#open(block, offset);
    if (plain.length < countBytes) throw new RangeError(`record ${offset} ends before its parts do`);
    const count = plain.readUInt32LE(0);
    let start = countBytes + count * endBytes;
    if (start > plain.length) throw new RangeError(`record ${offset} ends before its parts do`);
    return Array.from({ length: count }, (_, at) => {
      const end = plain.readUInt32LE(countBytes + at * endBytes);
      if (end < start || end > plain.length) throw new RangeError(`record ${offset} is cut short`);
      const message = readMessage(plain.subarray(start, end), offset);
      start = end;
      return message;
    });
  }

  /** How many entries from here on go into one block. */
  #take(entries: readonly SpillEntry[], from: number): number {
    const most = Math.min(this.blockMessages, entries.length - from);
    let bytes = entries[from]?.bytes ?? 0;
    for (let count = 1; count < most; count++) {
      bytes += entries[from + count]?.bytes ?? 0;
      if (bytes > sealedBytes) return count;
    }
    return most;
  }

  #block(entries: readonly SpillEntry[], from: number, count: number, target: Buffer, at: number): number {
    if (this.#cipher === undefined) {
      target[at] = kind.plain;
      return writeMessages(entries, from, count, target, at + 1);
    }
    target[at] = kind.sealed;
    const end = writeMessages(entries, from, count, this.#scratch, 0);
    return this.#cipher.seal(this.#scratch.subarray(0, end), target, at + 1);
  }

  #open(block: Buffer, offset: number): Buffer {
    const rest = block.subarray(1);
    if (block[0] === kind.plain) return rest;
    if (block[0] !== kind.sealed)
      throw new RangeError(`record ${offset} is of a kind that this version does not know`);
    if (this.#cipher === undefined) throw new OtherKeyError(keyIdOfBlock(rest), undefined);
    return this.#cipher.open(rest);
  }

  #room(entries: readonly SpillEntry[]): Buffer {
    let bytes = 0;
    let longest = 0;
    for (const entry of entries) {
      bytes += entry.bytes;
      longest = Math.max(longest, entry.bytes);
    }
    if (this.#cipher !== undefined && longest + sealedBytes > this.#scratch.length)
      this.#scratch = Buffer.allocUnsafeSlow(longest + sealedBytes);
    if (bytes <= this.#memory.length) return this.#memory;
    if (bytes > keptBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#memory = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)));
    return this.#memory;
  }
}

/** The id of the key that a record needs; undefined where it is plain. */
export function keyIdOf({ body }: LogRecord): string | undefined {
  return body[0] === kind.sealed ? keyIdOfBlock(body.subarray(1)) : undefined;
}

function writeMessages(
  entries: readonly SpillEntry[],
  from: number,
  count: number,
  target: Buffer,
  at: number,
): number {
  const writer = new RecordWriter(target);
  target.writeUInt32LE(count, at);
  writer.at = at + countBytes + count * endBytes;
  for (let i = 0; i < count; i++) {
    const message = entries[from + i]?.message;
    if (message !== undefined) writeMessage(writer, message);
    target.writeUInt32LE(writer.at - at, at + countBytes + i * endBytes);
  }
  return writer.at;
}

function writeMessage(writer: RecordWriter, message: KeptMessage): void {
  const { topic, partition, patient, reserved, lasting } = message;
  writer.byte(
    (partition === undefined ? 0 : flag.partition) |
      (patient === true ? flag.patient : 0) |
      (reserved === true ? flag.reserved : 0) |
      (lasting === true ? flag.lasting : 0),
  );
  writer.text(topic);
  if (partition !== undefined) writer.float(partition);
  writeContent(writer, message);
}

function readMessage(bytes: Buffer, offset: number): KeptMessage {
  const reader = new RecordReader(bytes);
  const flags = reader.byte();
  if ((flags & ~knownFlags) !== 0)
    throw new RangeError(`record ${offset} has flags ${flags}, which this version does not know`);
  const topic = reader.text();
  const where = (flags & flag.partition) === 0 ? undefined : reader.float();
  const { id, key, payload, headers, timestamp } = readContent(reader, offset);
  const message = { topic, id, key, payload, headers, timestamp };
  if (flags === 0) return message;
  return {
    ...message,
    ...(where === undefined ? {} : { partition: where }),
    ...((flags & flag.patient) === 0 ? {} : { patient: true }),
    ...((flags & flag.reserved) === 0 ? {} : { reserved: true }),
    ...((flags & flag.lasting) === 0 ? {} : { lasting: true }),
  };
}
