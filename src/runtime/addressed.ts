import { type Delivery, settlement } from '../core/delivery.ts';
import { isAddressedTo } from '../core/message-history.ts';
import { sourceStage } from '../core/stage.ts';

/**
 * What was sent round again for another pipeline is dropped, for it has been here before: undefined then.
 *
 * @param pipeline undefined: only what is meant for everybody passes
 */
export function addressedTo<A>(
  pipeline: string | undefined,
  delivery: Delivery<A> | undefined,
): Delivery<A> | undefined {
  if (delivery === undefined || isAddressedTo(pipeline, delivery.message)) return delivery;
  delivery[settlement].drop(sourceStage);
  return undefined;
}
