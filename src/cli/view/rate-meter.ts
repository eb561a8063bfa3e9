interface Sample {
  readonly at: number;
  readonly total: number;
}

export interface RateMeterOptions {
  /** How far back a rate looks, ms; default 5,000. */
  readonly windowMs?: number;
  /** The most samples kept; older ones are forgotten first; default 64. */
  readonly maxSamples?: number;
}

/**
 * The speed of a counter over the last seconds. Time and totals are passed in; a total that falls (a restart)
 * starts afresh, a sample that is not later than the last one replaces its total.
 *
 * @example
 * const meter = new RateMeter({ windowMs: 2_000 });
 * meter.add(0, 0);
 * meter.add(1_000, 50);
 * meter.perSecond(); // 50
 * meter.timeTo(100); // 1000
 */
export class RateMeter {
  readonly #windowMs: number;
  readonly #maxSamples: number;
  #samples: Sample[] = [];

  /** @throws RangeError where the window is not above 0, or fewer than 2 samples are to be kept. */
  constructor({ windowMs = 5_000, maxSamples = 64 }: RateMeterOptions = {}) {
    if (!(windowMs > 0 && maxSamples >= 2)) {
      throw new RangeError(
        `rate meter: windowMs ${windowMs} must be above 0, maxSamples ${maxSamples} at least 2`,
      );
    }
    this.#windowMs = windowMs;
    this.#maxSamples = maxSamples;
  }

  /** The counter stood at `total` at `at` ms. */
  add(at: number, total: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && total < last.total) this.#samples = [];
    if (last !== undefined && at <= last.at) this.#samples.pop();
    this.#samples.push({ at: Math.max(at, last?.at ?? at), total });
    this.#forget();
  }

  /** Units per second over the window; undefined until there are two samples. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return undefined;
    return ((last.total - first.total) * 1_000) / (last.at - first.at);
  }

  /** Ms until the counter stands at `goal` at this speed; undefined while it stands still. */
  timeTo(goal: number): number | undefined {
    const rate = this.perSecond();
    const total = this.#samples.at(-1)?.total;
    if (rate === undefined || total === undefined) return undefined;
    if (total >= goal) return 0;
    return rate > 0 ? ((goal - total) * 1_000) / rate : undefined;
  }

  /** Keeps one sample at or before the window's start, so that the rate covers the whole window. */
  #forget(): void {
    const end = this.#samples.at(-1)?.at ?? 0;
    const start = end - this.#windowMs;
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? end) <= start) this.#samples.shift();
    if (this.#samples.length > this.#maxSamples) this.#samples.shift();
  }
}
