import type { SchedulerLike, Subscription } from 'rxjs';

/** What a partition tells of itself. */
export interface BoundedPartition {
  /** The oldest offset that a reader still needs. */
  readonly needed: number;
  /** Whether there are readers who have taken all there is. */
  readonly isExhausted: boolean;
  /** Whether somebody waits for room who would wait for ever. */
  readonly isAwaited: boolean;
  /** Bytes that it holds. */
  readonly held: number;
  /** Takes what waits, as far as there is room now. */
  takeMore(): void;
}

/** For so long readers may do nothing but wait, ms. */
const standstillMs = 1_000;

/**
 * Lets the bound of a partition give way where readers who have taken all there is let nothing of it go: what they wait
 * for may be what waits for room. A join does so that needs a marker from behind the bound, and no state is written
 * while it waits. Every second as much again as the bound may come; once something is let go the bound is back.
 */
export class Standstill {
  readonly #scheduler: SchedulerLike;
  readonly #partition: BoundedPartition;
  #timer: Subscription | undefined;
  #bytes = 0;
  /** What was needed when it gave way. */
  #needed = 0;

  constructor(scheduler: SchedulerLike, partition: BoundedPartition) {
    this.#scheduler = scheduler;
    this.#partition = partition;
  }

  /** By how much the bound gives way, bytes. */
  get bytes(): number {
    if (this.#bytes > 0 && this.#partition.needed > this.#needed) this.#bytes = 0;
    return this.#bytes;
  }

  /** Looks until nobody waits any more. */
  watch(): void {
    this.#timer ??= this.#lookAfter(this.#partition.needed);
  }

  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #lookAfter(needed: number): Subscription {
    return this.#scheduler.schedule(() => {
      this.#timer = undefined;
      const partition = this.#partition;
      if (!partition.isAwaited) return;
      if (partition.isExhausted && partition.needed === needed) {
        this.#bytes = partition.held;
        this.#needed = needed;
        partition.takeMore();
      }
      this.watch();
    }, standstillMs);
  }
}
