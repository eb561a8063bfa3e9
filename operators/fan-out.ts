import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, fail, settlement, withValue } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import { type DataOf, type Marker, type MarkersOf, isMarker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { idleMeter } from '../src/core/meter.ts';
import { emitAll } from '../src/core/outputs.ts';
import { partialStage } from '../src/core/stage.ts';
import type { FilterOptions } from './filter-values.ts';

/**
 * Each value becomes any number of values at once. The delivery is acked once all of them are, nacked when one
 * of them was; no values at all: acked, counted as filtered. What the function throws becomes a `handle`
 * failure. Failures and markers pass.
 *
 * ```
 * in   --2------0---F---1--|      n => n times x
 * out  --(xx)-------F---x--|      0 is acked at once, 2 with its second x
 * ```
 *
 * The outputs of one delivery have its key and its event time, and an id each, by their order.
 *
 * @example
 * orders.pipe(fanOut(order => order.lines))
 */
export function fanOut<A, B>(
  project: (value: NoInfer<DataOf<A>>, message: Message) => readonly B[],
  options?: FilterOptions,
): OperatorFunction<Delivery<A>, Delivery<B | NoInfer<MarkersOf<A>>>>;
// Made outside a chain, where the type of values is known from the function alone.
export function fanOut<A, B>(
  project: (value: A, message: Message) => readonly B[],
  options?: FilterOptions,
): OperatorFunction<Delivery<A>, Delivery<B | NoInfer<MarkersOf<A>>>>;
export function fanOut<A, B>(
  project: (value: A, message: Message) => readonly B[],
  { name = 'fanOut', scheduler = asyncScheduler, meter = idleMeter }: FilterOptions = {},
): OperatorFunction<Delivery<A | Marker>, Delivery<B | Marker>> {
  const filtered = meter.counter('stream_filtered_total', { stage: name });
  return partialStage(name, subscriber => ({
    next: (delivery: Delivery<A | Marker>) => {
      if (!delivery.ok) return subscriber.next(delivery);
      const { value, message } = delivery;
      if (isMarker(value)) return subscriber.next(withValue(delivery, value));
      let values: readonly B[];
      try {
        values = project(value, message);
      } catch (error) {
        const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
        return subscriber.next(fail(delivery, failure));
      }
      if (values.length === 0) filtered.add();
      return emitAll(subscriber, delivery, values);
    },
  }));
}
