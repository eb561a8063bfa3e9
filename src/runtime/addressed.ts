import { type MonoTypeOperatorFunction, filter } from 'rxjs';
import { type Delivery, settlement } from '../core/delivery.ts';
import { isAddressedTo } from '../core/message-history.ts';

/**
 * What was sent round again for another pipeline is acked, for it has been here before.
 *
 * @param pipeline undefined: only what is meant for everybody passes
 */
export function addressedTo<A>(pipeline: string | undefined): MonoTypeOperatorFunction<Delivery<A>> {
  return filter(delivery => {
    const isMeant = isAddressedTo(pipeline, delivery.message);
    if (!isMeant) delivery[settlement].ack();
    return isMeant;
  });
}
