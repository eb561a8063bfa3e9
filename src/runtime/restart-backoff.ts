const firstMs = 1_000;
const longestMs = 30_000;

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
    return Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures++, 10));
  }
}
