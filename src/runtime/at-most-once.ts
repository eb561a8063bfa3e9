import { type Delivery, failed, ok, settlement } from '../core/delivery.ts';
import type { Bytes } from '../core/message.ts';
import { idleSettlement } from '../core/settlement.ts';

/** At most once: acked before anything is done with it. */
export function ackedFirst(delivery: Delivery<Bytes>): Delivery<Bytes> {
  delivery[settlement].ack();
  const { message } = delivery;
  return delivery.ok
    ? ok(delivery.value, message, idleSettlement)
    : failed(delivery.failure, message, idleSettlement);
}
