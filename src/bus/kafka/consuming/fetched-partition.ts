import type { Message } from '../../../core/message.ts';
import { Queue } from '../../../core/queue.ts';
import type { PumpedPartition } from '../../delivery-pump.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { costOf } from '../../message-cost.ts';
import { PartitionTracker, type TrackerHost } from '../../partition-tracker.ts';
import type { Due } from '../../source-duty.ts';
import type { FetchedPartition as Fetched } from '../driver.ts';
import { messageOf } from '../wire-record.ts';

/** One partition as one source reads it: what has been fetched, what is out, how far it is acked. */
export class FetchedPartition implements PumpedPartition, TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly tracker: PartitionTracker;
  /** From where to fetch next. */
  position: number;
  /** Up to where the group has committed, as far as this member knows. */
  committed: number;
  /** Whether it is about to be given up: nothing new is read or delivered, what is in hand may be finished. */
  isLeaving = false;
  /** Payload bytes that are fetched and not delivered. */
  bufferedBytes = 0;
  readonly #fetched: Queue<Message> = new Queue();
  readonly #end: number;
  #lastKnownEnd: number;
  /** Past the last message that was delivered. */
  #delivered: number;
  #waitsSince: number | undefined;
  /** Whether there is something behind the end that a transaction has yet to decide. */
  #hasUndecided = false;
  #undecidedSince: number | undefined;

  /** @param end the offset before which to stop */
  constructor(host: TrackerHost, { topic, partition }: TopicPartition, start: number, end: number) {
    this.topic = topic;
    this.partition = partition;
    this.tracker = new PartitionTracker(host, topic, partition, start);
    this.position = start;
    this.committed = start;
    this.#end = end;
    this.#lastKnownEnd = start;
    this.#delivered = start;
  }

  /** How many deliveries of this partition come again to whoever reads it next, gaps in the offsets included. */
  get repeats(): number {
    return Math.max(0, this.#delivered - this.committed);
  }

  /** For how long, as of now, there was room for more and no answer; to be asked while there is room. */
  waitedMs(now: number): number {
    this.#waitsSince ??= now;
    return now - this.#waitsSince;
  }

  /** For how long, as of now and the first time that this was asked, a transaction has kept the partition's end where it is. */
  undecidedMs(now: number): number {
    if (!this.#hasUndecided || this.position < this.#lastKnownEnd) return 0;
    this.#undecidedSince ??= now;
    return now - this.#undecidedSince;
  }

  /** There was an answer, or there is no room for one. */
  answered(): void {
    this.#waitsSince = undefined;
  }

  /** Whether there is anything left to fetch before the end. */
  get wantsMore(): boolean {
    return this.position < this.#end && !this.isLeaving;
  }

  /** Whether everything before the end has been read and settled. */
  get finished(): boolean {
    return this.position >= this.#end && this.#fetched.size === 0 && this.tracker.spread === 0;
  }

  /** Up to where everything is settled: past what was filtered out, too, once nothing else is left. Never falls. */
  get settledUpTo(): number {
    const { prefix, spread } = this.tracker;
    const isEmpty = spread === 0 && this.#fetched.size === 0;
    return Math.max(prefix, this.committed, isEmpty ? this.position : 0);
  }

  /** Messages of the partition that are not delivered yet, as of the last fetch. */
  get lag(): number {
    return Math.max(0, this.#lastKnownEnd - this.position) + this.#fetched.size;
  }

  take({ records, nextOffset, end, undecided }: Fetched): void {
    for (const record of records) {
      if (record.offset < this.position || record.offset >= this.#end) continue;
      const message = messageOf(this, record);
      this.bufferedBytes += costOf(message);
      this.#fetched.push(message);
    }
    if (nextOffset > this.position || nextOffset >= end) this.answered();
    this.position = Math.max(this.position, nextOffset);
    this.#hasUndecided = undecided > 0;
    if (!this.#hasUndecided || end > this.#lastKnownEnd) this.#undecidedSince = undefined;
    this.#lastKnownEnd = end;
  }

  next(maxSpread: number): Due | undefined {
    const redelivery = this.tracker.nextRedelivery();
    if (redelivery) return redelivery;
    while (this.tracker.spread < maxSpread && !this.isLeaving) {
      const message = this.#fetched.shift();
      if (message === undefined) return undefined;
      this.bufferedBytes -= costOf(message);
      const due = this.tracker.take(message);
      this.#delivered = message.offset + 1;
      if (due) return due;
    }
    return undefined;
  }
}
