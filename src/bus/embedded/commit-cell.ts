import type { TopicPartition } from '../event-bus.ts';
import type { ReadMark } from './partition-log.ts';

/** The committed offset of one partition in one group. */
export class CommitCell implements TopicPartition, ReadMark {
  readonly topic: string;
  readonly partition: number;
  #offset: number | undefined;
  #floor = 0;
  /** Whether it has moved since it was last made durable. */
  dirty = false;
  /** Set by the reader: what it does when a sender waits for room. */
  onPressure: () => void = () => undefined;

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

  press(): void {
    this.onPressure();
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
