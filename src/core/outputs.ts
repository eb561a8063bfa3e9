import type { Subscriber } from 'rxjs';
import { type Delivery, type Ok, ok, settlement, withValue } from './delivery.ts';
import { SharedSettlement } from './settlement.ts';

/** Passes n values on in place of one delivery: none acks it, several share its settlement. */
export function emitAll<B>(
  subscriber: Subscriber<Delivery<B>>,
  delivery: Ok<unknown>,
  values: readonly B[],
): void {
  if (values.length === 0) {
    delivery[settlement].ack();
  } else if (values.length === 1) {
    subscriber.next(withValue(delivery, values[0] as B));
  } else {
    const shared = new SharedSettlement(delivery[settlement]);
    for (const value of values) subscriber.next(ok(value, delivery.message, shared.share()));
    shared.close();
  }
}
