import { Backoff } from '../core/backoff.ts';

const longestMs = 30_000;
const backoff = new Backoff('restart', { firstDelayMs: 1_000, maxDelayMs: longestMs, jitter: 'none' });

/** How long to wait before a pipeline is started again: longer each time, until it has run well for long. */
export class RestartBackoff {
  #failures = 0;
  #begunAt = 0;

  began(now: number): void {
    this.#begunAt = now;
  }

  /** The wait after a failure, ms. */
  next(now: number): number {
    if (now - this.#begunAt > longestMs) this.#failures = 0;
    return backoff.delayMs(++this.#failures);
  }
}
