import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, fail, settlement } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import { type DataOf, type MarkersOf, isMarkerDelivery } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';

export interface FilterOptions extends StageOptions {
  /** Counts what is left out as `stream_filtered_total`. */
  readonly meter?: Meter;
}

/**
 * Keeps the values that the predicate accepts and acks the others; failures and markers pass.
 *
 * ```
 * in   --1---2---F---3--|      odd numbers
 * out  --1-------F---3--|      2 is acked
 * ```
 */
export function filterValues<A, B extends DataOf<A>>(
  predicate: (value: NoInfer<DataOf<A>>, message: Message) => value is B,
  options?: FilterOptions,
): OperatorFunction<Delivery<A>, Delivery<B | NoInfer<MarkersOf<A>>>>;
export function filterValues<A>(
  predicate: (value: NoInfer<DataOf<A>>, message: Message) => boolean,
  options?: FilterOptions,
): OperatorFunction<Delivery<A>, Delivery<A>>;
// Made outside a chain, where the type of values is known from the function alone.
export function filterValues<A>(
  predicate: (value: A, message: Message) => boolean,
  options?: FilterOptions,
): OperatorFunction<Delivery<A>, Delivery<A>>;
export function filterValues<A>(
  predicate: (value: A, message: Message) => boolean,
  { name = 'filterValues', scheduler = asyncScheduler, meter = idleMeter }: FilterOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  const filtered = meter.counter('stream_filtered_total', { stage: name });
  return stage(name, subscriber => ({
    next: (delivery: Delivery<A>) => {
      if (!delivery.ok || isMarkerDelivery(delivery)) return subscriber.next(delivery);
      let accepted: boolean;
      try {
        accepted = predicate(delivery.value, delivery.message);
      } catch (error) {
        const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
        return subscriber.next(fail(delivery, failure));
      }
      if (accepted) return subscriber.next(delivery);
      filtered.add();
      return delivery[settlement].drop(name);
    },
  }));
}
