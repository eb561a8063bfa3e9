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

/** What was accepted and cannot be delivered, kept for somebody to look at: reason, then the record as it was spilled. */
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
    const [record] = this.#codec.encode([entry], this.#log.nextOffset);
    if (record !== undefined) this.addRecord(record, reason);
  }

  /** A record that nobody can read now. @throws LogError where there is no room */
  addRecord({ time, body }: LogRecord, reason: string): void {
    const bound = 5 + 3 * reason.length;
    const buffer = Buffer.allocUnsafe(bound + body.length);
    const writer = new RecordWriter(buffer);
    writer.text(reason);
    writer.raw(body);
    this.#log.append([{ offset: this.#log.nextOffset, time, body: buffer.subarray(0, writer.at) }]);
    this.#bytes += frameOverhead + writer.at;
  }

  /** Everything, oldest first. @throws LogError where it cannot be read */
  *messages(): IterableIterator<RefusedMessage> {
    for (let from = this.#log.firstOffset; from < this.#log.nextOffset;) {
      const records = this.#log.read(from, readRecords);
      for (const record of records) yield* this.#read(record);
      from = (records.at(-1)?.offset ?? this.#log.nextOffset) + 1;
    }
  }

  close(): void {
    this.#log.close();
  }

  *#read({ offset, time, body }: LogRecord): IterableIterator<RefusedMessage> {
    const reader = new RecordReader(body);
    const reason = reader.text();
    const messages = this.#decoded({ offset, time, body: reader.rest() });
    for (const message of messages) yield { time, reason, message };
  }

  #decoded(record: LogRecord): readonly (KeptMessage | undefined)[] {
    try {
      return this.#codec.decode(record);
    } catch {
      return [undefined];
    }
  }
}
