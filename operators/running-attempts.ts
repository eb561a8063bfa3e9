import type { SchedulerLike, Subscription } from 'rxjs';
import { steadyNow } from '../src/core/steady-clock.ts';

/** Things that run, the oldest first, each for so long at most; one timer for all. */
export class RunningAttempts<A> {
  readonly #scheduler: SchedulerLike;
  readonly #limitMs: number | undefined;
  readonly #expired: (running: A) => void;
  /** When each is to end, in the order in which they began, which is that of their ends. */
  readonly #ends = new Map<A, number>();
  #timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike, limitMs: number | undefined, expired: (running: A) => void) {
    this.#scheduler = scheduler;
    this.#limitMs = limitMs;
    this.#expired = expired;
  }

  add(running: A): void {
    this.#ends.set(running, this.#limitMs === undefined ? 0 : steadyNow(this.#scheduler) + this.#limitMs);
    if (this.#limitMs !== undefined) this.#timer ??= this.#wakeAfter(this.#limitMs);
  }

  delete(running: A): void {
    this.#ends.delete(running);
  }

  /** Ends all of them and the timer. */
  stop(end: (running: A) => void): void {
    this.#timer?.unsubscribe();
    const all = [...this.#ends.keys()];
    this.#ends.clear();
    all.forEach(end);
  }

  #wakeAfter(delayMs: number): Subscription {
    return this.#scheduler.schedule(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#timer = undefined;
    const now = steadyNow(this.#scheduler);
    for (const [running, end] of this.#ends) {
      if (end > now) {
        this.#timer ??= this.#wakeAfter(end - now);
        return;
      }
      this.#ends.delete(running);
      this.#expired(running);
    }
  }
}
