import type { Subscriber } from 'rxjs';
import { type Delivery, type Ok, ok, settlement, withValue } from './delivery.ts';
import { derivedMessage } from './derived-message.ts';
import type { Message } from './message.ts';
import { SharedSettlement } from './settlement.ts';

/**
 * Passes n values on in place of one delivery: none acks it, several share its settlement, and each has a message with an
 * id of its own.
 */
export function emitAll<B>(
  subscriber: Subscriber<Delivery<B>>,
  delivery: Ok<unknown>,
  values: readonly B[],
): void {
  if (values.length === 1) subscriber.next(withValue(delivery, values[0] as B));
  else emitAs(subscriber, delivery, values, (message, i) => siblingOf(message, i));
}

/**
 * As {@link emitAll}, with messages of their own also where there is one.
 *
 * @param messageOf the message of a value, by its place among them
 */
export function emitAs<B>(
  subscriber: Subscriber<Delivery<B>>,
  delivery: Ok<unknown>,
  values: readonly B[],
  messageOf: (message: Message, i: number) => Message,
): void {
  const { message, [settlement]: duty } = delivery;
  if (values.length === 0) {
    duty.ack();
  } else if (values.length === 1) {
    subscriber.next(ok(values[0] as B, messageOf(message, 0), duty));
  } else {
    const shared = new SharedSettlement(duty);
    for (const [i, value] of values.entries())
      subscriber.next(ok(value, messageOf(message, i), shared.share()));
    shared.close();
  }
}

/** One of several outputs of a message. */
function siblingOf(message: Message, i: number): Message {
  return derivedMessage(message, { ordinal: () => `${message.id} ${i}` });
}
