import { type SchedulerLike, Subscription } from 'rxjs';
import { steadyNow } from '../../../core/steady-clock.ts';

/** Notices that there has been no sign of life for so long. */
export class Watchdog {
  readonly #scheduler: SchedulerLike;
  readonly #stalled: (silentMs: number) => void;
  #timer = new Subscription();
  #isSet = false;
  #lastSign = 0;
  #limitMs = 0;

  /** @param stalled told once; after that only `alive` makes it watch again */
  constructor(scheduler: SchedulerLike, stalled: (silentMs: number) => void) {
    this.#scheduler = scheduler;
    this.#stalled = stalled;
  }

  /** There was a sign of life; the next must come within so many ms. */
  alive(limitMs: number): void {
    const isSooner = limitMs < this.#limitMs;
    this.#lastSign = steadyNow(this.#scheduler);
    this.#limitMs = limitMs;
    if (!this.#isSet || isSooner) this.#look(limitMs);
  }

  stop(): void {
    this.#isSet = false;
    this.#timer.unsubscribe();
  }

  /** One timer for many signs: it looks again when the last of them has become too old. */
  #look(inMs: number): void {
    this.#timer.unsubscribe();
    this.#isSet = true;
    this.#timer = this.#scheduler.schedule(() => {
      const silentMs = steadyNow(this.#scheduler) - this.#lastSign;
      if (silentMs < this.#limitMs) {
        this.#look(this.#limitMs - silentMs);
        return;
      }
      this.stop();
      this.#stalled(silentMs);
    }, inMs);
  }
}
