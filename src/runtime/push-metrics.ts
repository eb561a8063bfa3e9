import { type SchedulerLike, asyncScheduler } from 'rxjs';
import type { MetricsCallback } from './series.ts';
import { type Ticker, every } from './ticker.ts';
import type { ReadSeries } from './runtime-series.ts';

export interface MetricsCallbackOptions {
  /** How often, ms; default 10 000. */
  readonly intervalMs?: number;
  /** Default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Told what the callback threw, or what kept the numbers from being read. */
  readonly failed?: (error: unknown) => void;
}

/**
 * Pushes every number to a callback in an interval, for systems that want to be pushed to.
 *
 * @example
 * const pushing = pushMetrics(runtimeSeries(runtime, asyncScheduler), (metric, value, tags) => statsd.gauge(...));
 */
export function pushMetrics(
  read: ReadSeries,
  callback: MetricsCallback,
  options: MetricsCallbackOptions = {},
): Ticker {
  const { intervalMs = 10_000, scheduler = asyncScheduler, failed = () => undefined } = options;
  const push = async (): Promise<void> => {
    for (const { name, value, tags } of await read()) callback(name, value, tags);
  };
  return every(intervalMs, scheduler, push, failed);
}
