import type { TopicPartition } from '../event-bus.ts';
import type { ReadMark } from './partition-log.ts';

/** What a cell knows of its reader. */
interface CellReader {
  /** The offset that it takes next. */
  readonly position: number;
  /** A sender waits for room that a commit might free. */
  pressed(): void;
}

/** The committed offset of one partition in one group. */
export class CommitCell implements TopicPartition, ReadMark {
  readonly topic: string;
  readonly partition: number;
  #offset: number | undefined;
  #floor = 0;
  /** Whether it has moved since it was last made durable. */
  dirty = false;
  /** Who reads here, while anybody does. */
  reader: CellReader | undefined;

  constructor(topic: string, partition: number, offset: number | undefined) {
    this.topic = topic;
    this.partition = partition;
    this.#offset = offset;
  }

  get offset(): number | undefined {
    return this.#offset;
  }

  /** What retention must keep: everything from here on. */
  get committed(): number {
    return this.#offset ?? this.#floor;
  }

  get position(): number {
    return this.reader?.position ?? this.committed;
  }

  press(): void {
    this.reader?.pressed();
  }

  /** A reader begins here; what lies below is no longer needed by it. */
  begin(start: number): void {
    this.#floor = start;
    if (this.#offset !== undefined && start < this.#offset) this.#offset = start;
  }

  advance(offset: number): boolean {
    if (offset <= this.committed) return false;
    this.#offset = offset;
    this.dirty = true;
    return true;
  }
}

/** Where a member begins a partition whose group has committed nothing. */
export type StartOf = (cell: CommitCell) => number;
