import type { OperatorFunction } from 'rxjs';
import type { Delivery } from '../src/core/delivery.ts';
import type { DataOf } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { type StageOptions, mapValues } from './map-values.ts';

/**
 * Looks at each value and passes it on; what the function throws becomes a `handle` failure. Failures and markers pass.
 *
 * ```
 * in   --1---2---F---3--|
 * out  --1---2---F---3--|
 * ```
 */
export function tapValues<A>(
  look: (value: NoInfer<DataOf<A>>, message: Message) => void,
  options?: StageOptions,
): OperatorFunction<Delivery<A>, Delivery<A>>;
// Made outside a chain, where the type of values is known from the function alone.
export function tapValues<A>(
  look: (value: A, message: Message) => void,
  options?: StageOptions,
): OperatorFunction<Delivery<A>, Delivery<A>>;
export function tapValues<A>(
  look: (value: A, message: Message) => void,
  options: StageOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  const project = (value: A, message: Message): A => {
    look(value, message);
    return value;
  };
  return mapValues(project, { name: 'tapValues', ...options });
}
