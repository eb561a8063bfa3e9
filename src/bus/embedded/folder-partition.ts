import type { Message } from '../../core/message.ts';
import { frameOverhead } from '../../log/frame.ts';
import { type RecordEncoder, decodeRecord } from '../../log/message-record.ts';
import type { SegmentLog } from '../../log/segment-log.ts';
import { compactLog } from './folder-compaction.ts';
import { onDisk } from './folder-errors.ts';
import type { PartitionTail } from './folder-tail-cache.ts';
import { partitionName } from '../partition-name.ts';
import type { PartitionStore } from './storage.ts';

/** Bytes read from the disk at a time, of which decoded messages keep views. */
const readBytes = 256 * 1024;

/** What a partition in a folder is made of. */
export interface FolderPartitionParts {
  readonly topic: string;
  readonly partition: number;
  readonly log: SegmentLog;
  readonly tail: PartitionTail;
  readonly encoder: RecordEncoder;
  /** Told when the partition is closed, before its log is. */
  readonly closing: (partition: FolderPartition) => void;
}

/** One partition in a folder of segment files, its newest messages in memory too. */
export class FolderPartition implements PartitionStore {
  nextOffset: number;
  bytes: number;
  readonly log: SegmentLog;
  readonly name: string;
  readonly #parts: FolderPartitionParts;
  /** Records since the last compaction, and those that it left. */
  #fresh: number;
  #compacted = 0;

  constructor(parts: FolderPartitionParts) {
    this.#parts = parts;
    this.log = parts.log;
    this.name = partitionName(parts.topic, parts.partition);
    this.nextOffset = parts.log.nextOffset;
    this.bytes = this.#measure('bytes');
    this.#fresh = this.#measure('count');
  }

  get firstOffset(): number {
    return this.log.firstOffset;
  }

  append(messages: readonly Message[]): void {
    const records = this.#parts.encoder.encode(messages);
    onDisk(this.name, () => this.log.append(records));
    for (const { body } of records) this.bytes += frameOverhead + body.length;
    this.#parts.tail.add(messages);
    this.nextOffset = (messages.at(-1)?.offset ?? this.nextOffset - 1) + 1;
    this.#fresh += messages.length;
  }

  read(from: number, max: number): readonly Message[] {
    return this.#parts.tail.read(from, max) ?? this.#readFromDisk(from, max);
  }

  offsetAtTime(logTime: number): number {
    return onDisk(this.name, () => this.log.offsetAtTime(logTime)) ?? this.nextOffset;
  }

  /** By whole files; the last one is sealed once half of it could go, so that it can go when the rest may. */
  dropBefore(offset: number): void {
    if (offset <= this.firstOffset) return;
    const base = this.log.segments().at(-1)?.base ?? this.nextOffset;
    onDisk(this.name, () => {
      if (offset > base && offset - base >= this.nextOffset - offset) this.log.roll();
      this.log.dropBefore(offset);
    });
    this.bytes = this.#measure('bytes');
  }

  /** Once half as much has come as was left the last time: each run reads all there is, and seals a file. */
  compact(below: number): void {
    if (this.#fresh === 0 || this.#fresh * 2 < this.#compacted) return;
    try {
      onDisk(this.name, () => compactLog(this.log, below));
    } finally {
      this.#parts.tail.clear();
      this.bytes = this.#measure('bytes');
    }
    this.#compacted = this.#measure('count');
    this.#fresh = 0;
  }

  close(): void {
    this.#parts.closing(this);
    this.#parts.tail.clear();
    onDisk(this.name, () => this.log.close());
  }

  #readFromDisk(from: number, max: number): readonly Message[] {
    const { topic, partition } = this.#parts;
    return onDisk(this.name, () =>
      this.log.read(from, max, readBytes).map(record => decodeRecord(topic, partition, record)),
    );
  }

  #measure(what: 'bytes' | 'count'): number {
    return this.log.segments().reduce((sum, segment) => sum + segment[what], 0);
  }
}
