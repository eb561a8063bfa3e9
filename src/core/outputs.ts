import type { Subscriber } from 'rxjs';
import { type Delivery, type Ok, ok, settlement, withValue } from './delivery.ts';
import { derivedMessage } from './derived-message.ts';
import type { Message } from './message.ts';
import { type Settlement, SharedSettlement } from './settlement.ts';

/**
 * Passes n values on in place of one delivery: none acks it, several share its settlement, and have messages with an id
 * each.
 */
export function emitAll<B>(
  subscriber: Subscriber<Delivery<B>>,
  delivery: Ok<unknown>,
  values: readonly B[],
): void {
  const { message } = delivery;
  if (values.length === 1) subscriber.next(withValue(delivery, values[0] as B));
  else emitAs(subscriber, delivery, values, (value, duty, i) => ok(value, siblingOf(message, i), duty));
}

/**
 * As {@link emitAll}, for who says how each output is delivered.
 *
 * @param deliveryOf makes the delivery of an output, by its duty to settle and its place among the others
 */
export function emitAs<A, B>(
  subscriber: Subscriber<Delivery<B>>,
  { [settlement]: duty }: Ok<unknown>,
  outputs: readonly A[],
  deliveryOf: (output: A, duty: Settlement, i: number) => Ok<B>,
): void {
  if (outputs.length === 0) {
    duty.ack();
  } else if (outputs.length === 1) {
    subscriber.next(deliveryOf(outputs[0] as A, duty, 0));
  } else {
    const shared = new SharedSettlement(duty);
    for (const [i, output] of outputs.entries()) subscriber.next(deliveryOf(output, shared.share(), i));
    shared.close();
  }
}

/** One of several outputs of a message. */
function siblingOf(message: Message, i: number): Message {
  return derivedMessage(message, { ordinal: () => `${message.id} ${i}` });
}
