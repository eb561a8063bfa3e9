import { asyncScheduler } from 'rxjs';
import { type Ok, fail, settlement } from '../src/core/delivery.ts';
import { type OverflowFailure, handleFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { type Section, aroundSection } from '../src/core/section.ts';
import { Compartments } from './compartments.ts';
import type { StageOptions } from './map-values.ts';

export interface BulkheadOptions<A> extends StageOptions {
  /** Deliveries in the section at once, per compartment. */
  readonly concurrency: number;
  /** The compartment of a delivery, as a tenant or a venue; default: one compartment for all. */
  readonly by?: (value: A, message: Message) => string;
  /** Deliveries that may wait for a place, per compartment; past it they fail with `overflow`. Default 1024. */
  readonly maxWaiting?: number;
  /** Compartments in use at once; what would need one more fails with `overflow`. Default 1024. */
  readonly maxCompartments?: number;
  /** Gauges `stream_buffered`. */
  readonly meter?: Meter;
}

/**
 * Lets so many deliveries into a section of the chain at once, and no more: the others wait, in order. With
 * `by` each compartment has places of its own, so that one slow tenant cannot take them all.
 *
 * ```
 * in    --abc-------|      concurrency 1, maxWaiting 1, the section takes 4
 * out   ----F-a---b-|      F: c, there was no room to wait
 * ```
 *
 * A place is free again when the delivery, or the first of its outputs, has come out of the section, or when it
 * was settled there, or taken back. A compartment that nobody is in is forgotten. What failed before the section
 * passes round it; a completed source ends the section once nobody waits any more; unsubscribing forgets who
 * waits. What gathers deliveries in the section, as `batch`, never gathers more than there are places.
 *
 * @example
 * orders.pipe(
 *   bulkhead(each(order$ => order$.pipe(mergeMap(enrich))), { concurrency: 8, by: (_, { key }) => key ?? '' }),
 * )
 *
 * @throws OptionError when made, for a bound out of range
 */
export function bulkhead<A, B>(
  section: Section<A, B>,
  { name = 'bulkhead', scheduler = asyncScheduler, meter = idleMeter, ...options }: BulkheadOptions<A>,
): Section<A, B> {
  const { concurrency, by = () => '', maxWaiting = 1024, maxCompartments = 1024 } = options;
  wholeNumber(`${name}.concurrency`, concurrency, 1);
  wholeNumber(`${name}.maxWaiting`, maxWaiting, 0);
  wholeNumber(`${name}.maxCompartments`, maxCompartments, 1);
  return aroundSection(name, section, (subscriber, entrance) => {
    const refuse = (delivery: Ok<A>, reason: string, limit: number): void => {
      const base = handleFailure(name, reason, delivery[settlement].attempt, scheduler.now());
      const failure: OverflowFailure = { ...base, tag: 'overflow', limit };
      subscriber.next(fail(delivery, failure));
    };
    const bounds = { concurrency, maxWaiting, maxCompartments };
    const places = new Compartments<A>(entrance, bounds, refuse, scheduler);
    const forget = meter.gauge('stream_buffered', () => places.waiting, { stage: name });
    return {
      next: delivery => {
        if (!delivery.ok) return subscriber.next(delivery);
        let compartment: string;
        try {
          compartment = by(delivery.value, delivery.message);
        } catch (error) {
          const { attempt } = delivery[settlement];
          return subscriber.next(fail(delivery, handleFailure(name, error, attempt, scheduler.now())));
        }
        return places.accept(compartment, delivery);
      },
      left: delivery => {
        // First out, then the place: who enters may come out at once.
        subscriber.next(delivery);
        places.leave(delivery[settlement]);
      },
      complete: () => places.complete(),
      teardown: () => {
        forget();
        places.stop();
      },
    };
  });
}
