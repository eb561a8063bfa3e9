import { Backoff } from '../core/backoff.ts';
import { BusError } from '../core/publisher.ts';

const longestMs = 30_000;
/** A broker that is back is not to be waited for. */
const longestForBrokersMs = 5_000;
const backoff = new Backoff('restart', { firstDelayMs: 1_000, maxDelayMs: longestMs, jitter: 'none' });

/** How long to wait before a pipeline is started again: longer each time, until it has run well for long. */
export class RestartBackoff {
  #failures = 0;
  #begunAt = 0;

  began(now: number): void {
    this.#begunAt = now;
  }

  /** The wait after a failure, ms. */
  next(now: number, error: unknown): number {
    if (now - this.#begunAt > longestMs) this.#failures = 0;
    const delayMs = backoff.delayMs(++this.#failures);
    const isOfBrokers = error instanceof BusError && error.retryable;
    return isOfBrokers ? Math.min(delayMs, longestForBrokersMs) : delayMs;
  }
}
