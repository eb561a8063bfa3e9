import { type Observer, type SchedulerLike, Subscription, of } from 'rxjs';
import { type Delivery, ok } from '../../core/delivery.ts';
import type { Bytes, Message } from '../../core/message.ts';
import type { SourceOptions, StartOffset, TopicPartition } from '../event-bus.ts';
import { isSamePartition, offsetIn } from '../same-partition.ts';
import type { Due } from '../source-duty.ts';
import type { CommitCell, StartOf } from './commit-cell.ts';
import type { PartitionLog } from './partition-log.ts';
import { PartitionReader, type ReaderHost } from './partition-reader.ts';
import type { UnsettledWatch } from '../unsettled-watch.ts';
import { limitsOf } from '../source-limits.ts';

/** What a consumer needs from its bus. */
export interface ConsumerHost {
  readonly scheduler: SchedulerLike;
  /** Asks for a turn in which this consumer is pumped. */
  wake(consumer: Consumer): void;
  /** Room may have become free in a partition. */
  roomFreed(log: PartitionLog): void;
  log(partition: TopicPartition): PartitionLog;
  readonly disconnected: boolean;
  /** Told now and then how long a message lay before it was delivered, ms. */
  delivered(ageMs: number): void;
}

/**
 * Deliveries made in one turn of the bus, over all partitions: what they lead to is stored, and read on, while
 * they are still young, which spares the garbage collector from copying them.
 */
const turnLength = 64;
/** One delivery in so many is looked at for latency. */
const sampleEvery = 64;

/** A member of a group, or a lone reader: delivers the messages of its partitions while it has credit. */
export class Consumer implements ReaderHost {
  readonly topics: readonly string[];
  readonly scheduler: SchedulerLike;
  readonly #host: ConsumerHost;
  readonly #observer: Observer<Delivery<Bytes>>;
  readonly #options: SourceOptions;
  readonly #watch: UnsettledWatch | undefined;
  readonly #maxInFlight: number;
  readonly #maxBytes: number;
  readonly #maxUncommitted: number;
  readonly #controls = new Subscription();
  #readers: PartitionReader[] = [];
  #next = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  #delivered = 0;
  /** Partitions whose lifecycle has not yet said where to begin, by assignment. */
  readonly #preparing = new Set<Set<CommitCell>>();
  /** Stopped for want of credit: what frees some must wake it. */
  #starved = false;
  #paused = false;
  #closed = false;

  constructor(
    host: ConsumerHost,
    topics: readonly string[],
    observer: Observer<Delivery<Bytes>>,
    options: SourceOptions,
    watch?: UnsettledWatch,
  ) {
    this.#host = host;
    this.scheduler = host.scheduler;
    this.topics = topics;
    this.#observer = observer;
    this.#options = options;
    this.#watch = watch;
    const { maxInFlight, maxInFlightBytes, maxUncommitted } = limitsOf(options);
    this.#maxInFlight = maxInFlight;
    this.#maxBytes = maxInFlightBytes;
    this.#maxUncommitted = maxUncommitted;
    options.lifecycle?.began?.(this);
    this.#controls.add(options.pause$?.subscribe(paused => this.#pause(paused)));
    this.#controls.add(options.commit$?.subscribe(() => this.#commitAll()));
  }

  get unsettled(): number {
    return this.#inFlight;
  }

  get spread(): number {
    return this.#readers.reduce((sum, { tracker }) => sum + tracker.spread, 0);
  }

  dropped(by: ReadonlySet<string>): number {
    return this.#readers.reduce((sum, { tracker }) => sum + tracker.dropped(by), 0);
  }

  /** Whether it is to have all partitions of its topics or none. */
  get exclusive(): boolean {
    return this.#options.exclusive === true;
  }

  get assigned(): readonly TopicPartition[] {
    return [...this.#readers.map(({ log }) => log), ...[...this.#preparing].flatMap(cells => [...cells])];
  }

  get readers(): readonly PartitionReader[] {
    return this.#readers;
  }

  /** Takes partitions over: reading begins once the lifecycle, where there is one, has named the offsets. */
  assign(assigned: readonly CommitCell[], startOf: StartOf): void {
    const { partitions } = this.#options;
    const cells = partitions ? assigned.filter(({ partition }) => partitions.includes(partition)) : assigned;
    const awaited = new Set(cells);
    this.#preparing.add(awaited);
    // Retention waits from now on: the offsets that will be named may be the oldest there are.
    for (const cell of cells) this.#host.log(cell).marks.add(cell);
    const begin = (named: readonly StartOffset[]): void => {
      if (!this.#preparing.delete(awaited) || this.#closed) return;
      for (const cell of awaited) this.#begin(cell, offsetIn(named, cell) ?? startOf(cell));
      this.#host.wake(this);
    };
    const preparing = this.#options.lifecycle?.assigned(cells) ?? of<readonly StartOffset[]>([]);
    this.#controls.add(
      preparing.subscribe({
        next: begin,
        error: (cause: unknown) => this.#observer.error(cause),
        complete: () => begin([]),
      }),
    );
  }

  /** Gives partitions up: what is in flight is taken back, what is acked stays committed. */
  revoke(partitions: readonly TopicPartition[]): void {
    const isLost = (held: TopicPartition): boolean => partitions.some(lost => isSamePartition(lost, held));
    for (const reader of this.#readers.filter(({ log }) => isLost(log))) {
      this.#inFlight -= reader.tracker.inFlight;
      this.#inFlightBytes -= reader.tracker.inFlightBytes;
      reader.close();
    }
    this.#readers = this.#readers.filter(({ log }) => !isLost(log));
    for (const awaited of this.#preparing) {
      for (const cell of [...awaited].filter(isLost)) {
        awaited.delete(cell);
        this.#host.log(cell).marks.delete(cell);
      }
    }
    this.#options.lifecycle?.revoked(partitions);
    this.#host.wake(this);
  }

  /** Delivers of one partition after the other, as far as there is credit and a turn goes. */
  pump(): void {
    try {
      this.#deliverRuns();
    } catch (cause) {
      // The storage cannot be read: that ends this source and nothing else.
      this.#observer.error(cause);
    }
  }

  #deliverRuns(): void {
    this.#starved = false;
    let left = turnLength;
    for (let tried = this.#readers.length; tried > 0 && left > 0 && !this.#closed; tried--) {
      const reader = this.#readers[this.#next++ % this.#readers.length];
      if (reader) left -= this.#run(reader, left);
    }
    if (left === 0) this.#host.wake(this);
    if (this.#options.untilEnd === true && !this.#closed) this.#completeAtEnd();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#controls.unsubscribe();
    this.revoke(this.assigned);
  }

  /** Ends the source without error: its bus is being stopped. */
  complete(): void {
    this.#observer.complete();
  }

  released(message: Message): void {
    this.#inFlight--;
    this.#inFlightBytes -= message.payload?.length ?? 0;
    if (this.#starved) this.#host.wake(this);
  }

  redeliverable(): void {
    this.#host.wake(this);
  }

  advanced(reader: PartitionReader): void {
    const { tracker } = reader;
    const { topic, partition, prefix, oldest } = tracker;
    this.#options.lifecycle?.settled?.(topic, partition, prefix, oldest);
    this.#commit(reader);
    if (this.#starved || this.#options.untilEnd === true) this.#host.wake(this);
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#host.wake(this);
  }

  #commitAll(): void {
    for (const reader of this.#readers) this.#commit(reader);
  }

  pressed(): void {
    this.#options.lifecycle?.pressed?.();
  }

  #commit({ tracker, cell, log }: PartitionReader): void {
    const limit = this.#options.lifecycle?.commitLimit?.(cell) ?? tracker.prefix;
    if (cell.advance(Math.min(limit, tracker.prefix)) && log.backlog > 0) this.#host.roomFreed(log);
  }

  #begin(cell: CommitCell, start: number): void {
    const log = this.#host.log(cell);
    const end = this.#options.untilEnd === true ? log.store.nextOffset : Number.POSITIVE_INFINITY;
    this.#readers.push(new PartitionReader(this, log, cell, start, end));
  }

  /** Delivers at most so many of one partition, and says how many. */
  #run(reader: PartitionReader, most: number): number {
    for (let count = 0; count < most; count++) {
      if (!this.#mayDeliver()) return count;
      const due = reader.next(this.#paused ? 0 : this.#maxUncommitted);
      if (due === undefined) {
        this.#starved ||= !this.#paused && reader.tracker.spread >= this.#maxUncommitted;
        return count;
      }
      this.#deliver(due, reader.tracker.spread);
    }
    return most;
  }

  #mayDeliver(): boolean {
    if (this.#closed || this.#host.disconnected) return false;
    const credit = this.#inFlight < this.#maxInFlight && this.#inFlightBytes < this.#maxBytes;
    this.#starved ||= !credit;
    return credit;
  }

  #deliver(due: Due, spread: number): void {
    const { message } = due;
    this.#inFlight++;
    this.#inFlightBytes += message.payload?.length ?? 0;
    const nth = this.#delivered++;
    if (nth % sampleEvery === 0) {
      this.#host.delivered(this.scheduler.now() - message.logTime);
      // A loss holds up its partition, so what follows it is looked at; where all is settled nothing is to be found.
      if (nth === 0 || spread > 1) this.#watch?.look(due);
    }
    this.#observer.next(ok<Bytes>(message.payload, message, due));
  }

  #completeAtEnd(): void {
    if (this.#preparing.size === 0 && this.#readers.every(reader => reader.finished))
      this.#observer.complete();
  }
}
