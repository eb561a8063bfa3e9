/** Upper bounds of the buckets, seconds: from what an operator takes to what an outage takes. */
const bounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Durations as Prometheus wants them: how many took at most so long, how many there were, and their sum. */
export class TimeBuckets {
  readonly #counts: number[] = new Array<number>(bounds.length).fill(0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    for (let i = 0; i < bounds.length; i++) {
      if (seconds <= (bounds[i] as number)) {
        this.#counts[i] = (this.#counts[i] as number) + 1;
        return;
      }
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Seconds, of all of them. */
  get sum(): number {
    return this.#sum;
  }

  /** Each upper bound, as its label says it, with how many are not above it; the last one is that of all. */
  get cumulative(): readonly (readonly [le: string, count: number])[] {
    let upTo = 0;
    const bounded = bounds.map((bound, i) => [String(bound), (upTo += this.#counts[i] ?? 0)] as const);
    return [...bounded, ['+Inf', this.#count]];
  }
}
