import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import type { ExpiredFailure } from '../src/core/failure.ts';
import { isMarker } from '../src/core/marker.ts';
import { finiteNumber } from '../src/core/option.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';

export interface ExpireOptions extends StageOptions {
  /**
   * `event-time` (default): how long ago it happened, by the message. `log-time`: how long it has been in the
   * log, by the backend's clock.
   */
  readonly by?: 'event-time' | 'log-time';
}

/**
 * Fails values whose messages are too old when they come: with `expired`, which is not retryable, as they only
 * get older. Goes by the scheduler's clock, so that a replay of old messages expires them: leave it out
 * of chains that are to give the same again. Markers pass.
 *
 * ```
 * in   --a---b---F---c--|      maxAgeMs 1000; b is of 2 s ago
 * out  --a---F---F---c--|
 * ```
 *
 * @example
 * orders.pipe(expire(5_000))
 *
 * @param maxAgeMs ms, from 1
 * @throws OptionError when made, for an age out of range
 */
export function expire<A>(
  maxAgeMs: number,
  { by = 'event-time', name = 'expire', scheduler = asyncScheduler }: ExpireOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  finiteNumber(`${name}.maxAgeMs`, maxAgeMs, 1);
  const failure = (delivery: Ok<A>, ageMs: number, now: number): ExpiredFailure => ({
    tag: 'expired',
    stage: name,
    reason: `${ageMs} ms old by its ${by.replace('-', ' ')}, may be ${maxAgeMs} ms`,
    attempts: delivery[settlement].attempt,
    firstAt: now,
    lastAt: now,
    retryable: false,
    limitMs: maxAgeMs,
  });
  return stage(name, subscriber => ({
    next: (delivery: Delivery<A>) => {
      if (!delivery.ok || isMarker(delivery.value)) return subscriber.next(delivery);
      const { timestamp, logTime } = delivery.message;
      const now = scheduler.now();
      const ageMs = now - (by === 'event-time' ? timestamp : logTime);
      return subscriber.next(ageMs > maxAgeMs ? fail(delivery, failure(delivery, ageMs, now)) : delivery);
    },
  }));
}
