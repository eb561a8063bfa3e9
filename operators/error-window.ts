/** The window is forgotten a tenth at a time. */
const buckets = 10;

/** How many of the last outcomes were failures, over a sliding time: ten counts, whatever the rate. */
export class ErrorWindow {
  readonly #bucketMs: number;
  readonly #failed = new Float64Array(buckets);
  readonly #outcomes = new Float64Array(buckets);
  /** The bucket of now, counted from the beginning of time. */
  #newest = Number.NEGATIVE_INFINITY;

  /** @param windowMs how far back it looks, to a tenth of it */
  constructor(windowMs: number) {
    this.#bucketMs = windowMs / buckets;
  }

  add(failed: boolean, now: number): void {
    const at = this.#turnTo(now);
    this.#outcomes[at] = (this.#outcomes[at] ?? 0) + 1;
    if (failed) this.#failed[at] = (this.#failed[at] ?? 0) + 1;
  }

  /** What the window holds now. */
  read(now: number): { readonly failed: number; readonly outcomes: number } {
    this.#turnTo(now);
    return { failed: sum(this.#failed), outcomes: sum(this.#outcomes) };
  }

  clear(): void {
    this.#failed.fill(0);
    this.#outcomes.fill(0);
  }

  /** Empties the buckets whose time is over; returns the place of the one of now. */
  #turnTo(now: number): number {
    // A clock that was set back counts into the newest.
    const bucket = Math.max(this.#newest, Math.floor(now / this.#bucketMs));
    const emptied = Math.min(buckets, bucket - this.#newest);
    for (let i = 0; i < emptied; i++) {
      this.#failed[(bucket - i) % buckets] = 0;
      this.#outcomes[(bucket - i) % buckets] = 0;
    }
    this.#newest = bucket;
    return bucket % buckets;
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
