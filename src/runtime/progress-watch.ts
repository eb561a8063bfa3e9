import { type SchedulerLike, Subscription } from 'rxjs';
import { type MessagePlace, placeText } from './message-place.ts';

/** As long as Kafka's own consumers may take between two polls. */
export const defaultStalledAfterMs = 300_000;

/** What is looked at of a pipeline that has been given something. */
export interface WatchedProgress {
  /** Deliveries that are not settled. */
  readonly unsettled: () => number;
  /** How many of them wait for the other side of a join, or for a time. */
  readonly waiting: () => { readonly forData: number; readonly forTime: number };
  /** How often something was tried again. */
  readonly retried: () => number;
  /** Whether it is known what it waits for: something that is said, or the time to try again. */
  readonly isHeldUp: () => boolean;
}

/**
 * Notices that a pipeline has something in hand and is not getting anywhere: as where a handler never answers, or an
 * operator has lost a message. It looks while there is something to wait for, and not otherwise.
 */
export class ProgressWatch {
  readonly #afterMs: number;
  readonly #scheduler: SchedulerLike;
  readonly #progress: WatchedProgress;
  readonly #stalled: () => void;
  #timer = new Subscription();
  #isWatching = false;
  #delivered = 0;
  /** What was done when it looked last. */
  #done = 0;
  #over = false;

  /**
   * @param afterMs in which nothing was settled or tried again; it is noticed within twice that
   * @param stalled told once
   */
  constructor(afterMs: number, scheduler: SchedulerLike, progress: WatchedProgress, stalled: () => void) {
    this.#afterMs = afterMs;
    this.#scheduler = scheduler;
    this.#progress = progress;
    this.#stalled = stalled;
  }

  delivered(): void {
    this.#delivered++;
    if (!this.#isWatching && !this.#over) this.#watch();
  }

  /** What some of it waits for may have come. */
  moved(): void {
    if (!this.#isWatching && !this.#over && this.#progress.unsettled() > 0) this.#watch();
  }

  stop(): void {
    this.#over = true;
    this.#timer.unsubscribe();
  }

  #watch(): void {
    this.#isWatching = true;
    this.#done = this.#doneNow;
    this.#timer = this.#scheduler.schedule(() => this.#look(), this.#afterMs);
  }

  #look(): void {
    const { unsettled, waiting, isHeldUp } = this.#progress;
    const { forData, forTime } = waiting();
    this.#isWatching = false;
    // What waits for data is looked at again when some comes.
    if (unsettled() <= forData) return;
    if (this.#doneNow !== this.#done || unsettled() <= forData + forTime || isHeldUp()) return this.#watch();
    this.stop();
    this.#stalled();
  }

  /** What was settled since the start, and each try more: any change is progress. */
  get #doneNow(): number {
    return this.#delivered - this.#progress.unsettled() + this.#progress.retried();
  }
}

/** @param oldest of what is in hand */
export function stalledText(afterMs: number, unsettled: number, oldest: MessagePlace | undefined): string {
  const which = oldest ? `, the oldest of them ${placeText(oldest)}` : '';
  return `nothing was settled for ${afterMs / 1000} s with ${unsettled} in hand${which}: begun anew; see what its handler waits for, or let stalledAfter be longer than it may take`;
}
