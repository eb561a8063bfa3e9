import type { Observer } from 'rxjs';
import { type Delivery, ok } from '../core/delivery.ts';
import type { Bytes, Message } from '../core/message.ts';
import type { SourceLoad, SourceOptions } from './event-bus.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import type { Due } from './source-duty.ts';
import { limitsOf } from './source-limits.ts';

/** A partition as the pump sees it. */
export interface PumpedPartition {
  readonly tracker: PartitionTracker;
  /** What to deliver next: what comes again, else what is new as long as no more than `maxSpread` are uncommitted. */
  next(maxSpread: number): Due | undefined;
}

/** Deliveries made per partition before the next one gets its turn. */
const runLength = 64;

/** Delivers what partitions have, in turns, as far as a source has credit. */
export class DeliveryPump<P extends PumpedPartition> implements SourceLoad {
  readonly #observer: Observer<Delivery<Bytes>>;
  readonly #maxInFlight: number;
  readonly #maxBytes: number;
  readonly #maxUncommitted: number;
  readonly #delivering: (due: Due) => void;
  readonly #rested: () => void;
  readonly #partitions: P[] = [];
  #next = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  #paused = false;
  #closed = false;
  #pumping = false;
  #again = false;
  /** Stopped for want of credit: what frees some makes it look again. */
  #starved = false;

  /**
   * @param delivering told of each delivery before it is made
   * @param rested told when all that may be delivered has been
   */
  constructor(
    observer: Observer<Delivery<Bytes>>,
    options: SourceOptions,
    delivering: (due: Due) => void,
    rested: () => void,
  ) {
    this.#observer = observer;
    const { maxInFlight, maxInFlightBytes, maxUncommitted } = limitsOf(options);
    this.#maxInFlight = maxInFlight;
    this.#maxBytes = maxInFlightBytes;
    this.#maxUncommitted = maxUncommitted;
    this.#delivering = delivering;
    this.#rested = rested;
  }

  get unsettled(): number {
    return this.#inFlight;
  }

  get spread(): number {
    return this.#partitions.reduce((sum, { tracker }) => sum + tracker.spread, 0);
  }

  dropped(by: ReadonlySet<string>): number {
    return this.#partitions.reduce((sum, { tracker }) => sum + tracker.dropped(by), 0);
  }

  get partitions(): readonly P[] {
    return this.#partitions;
  }

  add(partition: P): void {
    this.#partitions.push(partition);
  }

  /** What of it is in flight is taken back. */
  remove(partition: P): void {
    const at = this.#partitions.indexOf(partition);
    if (at < 0) return;
    this.#partitions.splice(at, 1);
    this.#inFlight -= partition.tracker.inFlight;
    this.#inFlightBytes -= partition.tracker.inFlightBytes;
    partition.tracker.revoke();
  }

  close(): void {
    this.#closed = true;
    for (const partition of [...this.#partitions]) this.remove(partition);
  }

  /** While paused, only what comes again is delivered. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.pump();
  }

  /** A delivery is over: its credit is free again. */
  released({ payload }: Message): void {
    this.#inFlight--;
    this.#inFlightBytes -= payload?.length ?? 0;
    if (this.#starved) this.pump();
  }

  /** The prefix of a partition has grown: it may be read further. */
  advanced(): void {
    if (this.#starved) this.pump();
  }

  /** Delivers all that may be delivered; whoever calls it while it does so only makes it look again. */
  pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        this.#starved = false;
        this.#deliverRuns();
      }
    } finally {
      this.#pumping = false;
    }
    this.#rested();
  }

  /** Whether a delivery is being made right now: what follows from its ack must wait until it has been. */
  get isDelivering(): boolean {
    return this.#pumping;
  }

  #deliverRuns(): void {
    for (let tried = this.#partitions.length; tried > 0 && !this.#closed; tried--) {
      const partition = this.#partitions[this.#next++ % this.#partitions.length];
      if (partition && this.#run(partition)) this.#again = true;
    }
  }

  /** Delivers a run of one partition; true when there may be more. */
  #run(partition: P): boolean {
    for (let count = 0; count < runLength; count++) {
      if (!this.#mayDeliver()) return false;
      const due = partition.next(this.#paused ? 0 : this.#maxUncommitted);
      if (due === undefined) {
        this.#starved ||= !this.#paused && partition.tracker.spread >= this.#maxUncommitted;
        return false;
      }
      this.#inFlight++;
      this.#inFlightBytes += due.message.payload?.length ?? 0;
      this.#delivering(due);
      this.#observer.next(ok<Bytes>(due.message.payload, due.message, due));
    }
    return true;
  }

  #mayDeliver(): boolean {
    if (this.#closed) return false;
    const credit = this.#inFlight < this.#maxInFlight && this.#inFlightBytes < this.#maxBytes;
    this.#starved ||= !credit;
    return credit;
  }
}
