import type { MessageId } from '../core/message.ts';
import { frameOverhead, type LogRecord } from '../log/frame.ts';
import { RecordReader } from '../log/record-reader.ts';
import { RecordWriter } from '../log/record-writer.ts';
import { openSegmentLog, type SegmentLog, type SegmentLogOptions } from '../log/segment-log.ts';
import type { BlockCodec } from './block-codec.ts';
import type { KeptMessage, SpillEntry } from './spill-entry.ts';

/** A spilled message that did not reach the broker and never will by itself. */
export interface RefusedMessage {
  /** When it was given to the publisher, ms. */
  readonly time: number;
  /** In words. */
  readonly reason: string;
  /** Undefined where the record cannot be read, for example for want of its key. */
  readonly message: KeptMessage | undefined;
}

const readRecords = 256;
/** The longest record that can be spilled, and a reason. */
const maxRecordBytes = 128 * 1024 ** 2;

/**
 * What was accepted and cannot be delivered, kept for somebody to look at: reason, the offset that the message had, then
 * a record as it would be spilled.
 */
export class RefusedLog {
  readonly #log: SegmentLog;
  readonly #codec: BlockCodec;
  #bytes: number;

  /** @throws LogError */
  constructor(folder: string, codec: BlockCodec, options: SegmentLogOptions) {
    this.#log = openSegmentLog(folder, { ...options, maxRecordBytes });
    this.#codec = codec;
    this.#bytes = this.#log.segments().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get folder(): string {
    return this.#log.folder;
  }

  /** On disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws LogError where there is no room */
  add(entry: SpillEntry, reason: string): void {
    const [record] = this.#codec.encode([entry], entry.offset);
    if (record !== undefined) this.addRecord(record, reason);
  }

  /** A record that nobody can read now. @throws LogError where there is no room */
  addRecord({ offset, time, body }: LogRecord, reason: string): void {
    const buffer = Buffer.allocUnsafe(5 + 3 * reason.length + 8 + body.length);
    const writer = new RecordWriter(buffer);
    writer.text(reason);
    writer.float(offset);
    writer.raw(body);
    this.#log.append([{ offset: this.#log.nextOffset, time, body: buffer.subarray(0, writer.at) }]);
    this.#bytes += frameOverhead + writer.at;
  }

  /** Ids, by offset, of messages from an offset on: they are done with, though the position may not say so yet. */
  idsFrom(offset: number): ReadonlyMap<number, MessageId> {
    const ids = new Map<number, MessageId>();
    for (const refused of this.#entries())
      if (refused.offset >= offset && refused.message !== undefined)
        ids.set(refused.offset, refused.message.id);
    return ids;
  }

  /** Everything, oldest first. @throws LogError where it cannot be read */
  *messages(): IterableIterator<RefusedMessage> {
    for (const { time, reason, message } of this.#entries()) yield { time, reason, message };
  }

  close(): void {
    this.#log.close();
  }

  *#entries(): IterableIterator<RefusedMessage & { readonly offset: number }> {
    for (let from = this.#log.firstOffset; from < this.#log.nextOffset;) {
      const records = this.#log.read(from, readRecords);
      for (const record of records) yield* this.#read(record);
      from = (records.at(-1)?.offset ?? this.#log.nextOffset) + 1;
    }
  }

  *#read({ time, body }: LogRecord): IterableIterator<RefusedMessage & { readonly offset: number }> {
    const reader = new RecordReader(body);
    const reason = reader.text();
    const offset = reader.float();
    for (const message of this.#decoded({ offset, time, body: reader.rest() }))
      yield { offset, time, reason, message };
  }

  #decoded(record: LogRecord): readonly (KeptMessage | undefined)[] {
    try {
      return this.#codec.decode(record);
    } catch {
      return [undefined];
    }
  }
}
