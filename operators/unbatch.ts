import type { OperatorFunction } from 'rxjs';
import type { Delivery } from '../src/core/delivery.ts';
import { fanOut } from './fan-out.ts';
import type { FilterOptions } from './filter-values.ts';

/**
 * A list becomes its elements. The list's delivery, and with it every member of a batch, is acked with the last
 * element, nacked when one of them was. An empty list is acked and counted as filtered. Failures pass.
 *
 * ```
 * in   --[1,2]---[]---F---[3]--|
 * out  --(12)---------F---3----|
 * ```
 *
 * The elements have the key and the event time of the list's message, and an id each, as with {@link fanOut}.
 */
export function unbatch<A>(
  options: FilterOptions = {},
): OperatorFunction<Delivery<readonly A[]>, Delivery<A>> {
  return fanOut((list: readonly A[]) => list, { name: 'unbatch', ...options });
}
