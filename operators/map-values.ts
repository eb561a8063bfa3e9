import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import { type Delivery, fail, settlement, withValue } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import { type DataOf, type Marker, type MarkersOf, isMarker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { stage } from '../src/core/stage.ts';

/** What the operators that call a user's function have in common. */
export interface StageOptions {
  /** Names the stage in failures, metrics and drawings; default: the operator's own name. */
  readonly name?: string;
  /** The clock of failures' times; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Each value becomes another; what the function throws becomes a `handle` failure. Failures and markers pass.
 *
 * ```
 * in   --1---2---F---3--|      x => x === 2 ? throw : x * 10
 * out  --10--F---F---30-|
 * ```
 *
 * @example
 * prices.pipe(mapValues(price => price.price * 2))
 */
export function mapValues<A, B>(
  project: (value: NoInfer<DataOf<A>>, message: Message) => B,
  options?: StageOptions,
): OperatorFunction<Delivery<A>, Delivery<B | NoInfer<MarkersOf<A>>>>;
// Made outside a chain, where the type of values is known from the function alone.
export function mapValues<A, B>(
  project: (value: A, message: Message) => B,
  options?: StageOptions,
): OperatorFunction<Delivery<A>, Delivery<B | NoInfer<MarkersOf<A>>>>;
export function mapValues<A, B>(
  project: (value: A, message: Message) => B,
  { name = 'mapValues', scheduler = asyncScheduler }: StageOptions = {},
): OperatorFunction<Delivery<A | Marker>, Delivery<B | Marker>> {
  return stage(name, subscriber => ({
    next: (delivery: Delivery<A | Marker>) => {
      if (!delivery.ok) return subscriber.next(delivery);
      const { value, message } = delivery;
      let result: Delivery<B | Marker>;
      try {
        result = withValue(delivery, isMarker(value) ? value : project(value, message));
      } catch (error) {
        result = fail(delivery, handleFailure(name, error, delivery[settlement].attempt, scheduler.now()));
      }
      return subscriber.next(result);
    },
  }));
}
