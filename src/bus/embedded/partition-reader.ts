import type { SchedulerLike } from 'rxjs';
import type { Message } from '../../core/message.ts';
import { PartitionTracker, type TrackerHost } from '../partition-tracker.ts';
import type { Due } from '../source-duty.ts';
import type { CommitCell } from './commit-cell.ts';
import type { PartitionLog } from './partition-log.ts';

/** What a reader tells its consumer. */
export interface ReaderHost {
  readonly scheduler: SchedulerLike;
  released(message: Message): void;
  redeliverable(): void;
  advanced(reader: PartitionReader): void;
  /** A sender waits for room that a commit might free. */
  pressed(): void;
}

const chunkLength = 64;
const noMessages: readonly Message[] = [];

/** One partition as one consumer reads it: its position in the log, and what it has taken and not settled. */
export class PartitionReader implements TrackerHost {
  readonly log: PartitionLog;
  readonly cell: CommitCell;
  readonly tracker: PartitionTracker;
  readonly scheduler: SchedulerLike;
  readonly #host: ReaderHost;
  readonly #end: number;
  #position: number;
  #chunk = noMessages;
  #index = 0;

  /** @param end the offset before which to stop */
  constructor(host: ReaderHost, log: PartitionLog, cell: CommitCell, start: number, end: number) {
    this.#host = host;
    this.scheduler = host.scheduler;
    this.log = log;
    this.cell = cell;
    this.tracker = new PartitionTracker(this, log.topic, log.partition, start);
    this.#position = start;
    this.#end = end;
    cell.begin(start);
    cell.reader = this;
    log.marks.add(cell);
  }

  /** Whether everything before the end has been read and settled. */
  get finished(): boolean {
    return this.#position >= this.#end && this.tracker.spread === 0;
  }

  /** The offset that it takes next. */
  get position(): number {
    return this.#position;
  }

  /** Messages of the log that have not been taken. */
  get lag(): number {
    return Math.max(0, this.log.store.nextOffset - this.#position);
  }

  /** The next message to deliver: one that comes again, else the next of the log that nothing holds back. */
  next(maxSpread: number): Due | undefined {
    const redelivery = this.tracker.nextRedelivery();
    if (redelivery) return redelivery;
    while (this.tracker.spread < maxSpread) {
      const message = this.#read();
      if (message === undefined) return undefined;
      const due = this.tracker.take(message);
      if (due) return due;
    }
    return undefined;
  }

  /** Gives the partition up. */
  close(): void {
    this.tracker.revoke();
    if (this.cell.reader === this) this.cell.reader = undefined;
    this.log.marks.delete(this.cell);
  }

  released(message: Message): void {
    this.#host.released(message);
  }

  redeliverable(): void {
    this.#host.redeliverable();
  }

  advanced(): void {
    this.#host.advanced(this);
  }

  pressed(): void {
    this.#host.pressed();
  }

  #read(): Message | undefined {
    if (this.#index === this.#chunk.length) {
      if (this.#position >= Math.min(this.#end, this.log.store.nextOffset)) return undefined;
      this.#chunk = this.log.store.read(this.#position, chunkLength);
      this.#index = 0;
    }
    const message = this.#chunk[this.#index++];
    if (this.#index >= this.#chunk.length) [this.#chunk, this.#index] = [noMessages, 0];
    if (message === undefined || message.offset >= this.#end) {
      this.#position = Math.max(this.#position, Math.min(this.#end, this.log.store.nextOffset));
      return undefined;
    }
    this.#position = message.offset + 1;
    return message;
  }
}
