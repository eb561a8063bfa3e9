import { createHistogram } from 'node:perf_hooks';
import type { Measured } from './benchmark.ts';

/** Latencies of one run, kept as whole microseconds. */
export class Latencies {
  readonly #histogram = createHistogram();

  /** @param ms since the message was to be sent, however late it really was: nothing is omitted */
  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  get percentiles(): NonNullable<Measured['latency']> {
    const of = (percent: number): number => this.#histogram.percentile(percent) / 1000;
    return { p50: of(50), p99: of(99) };
  }
}
