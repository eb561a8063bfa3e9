import type { OperatorFunction } from 'rxjs';
import type { Delivery } from '../src/core/delivery.ts';
import type { OutgoingMessage } from '../src/core/message.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { type SendOptions, sendStage } from './send-stage.ts';

/**
 * Publishes messages that are made already, each to the topic it names, and passes them on once the broker has
 * them. As with `publishTo` everything waits in order while the bus refuses what it may take later; what it
 * refuses for good becomes a `publish` failure.
 *
 * ```
 * in      --m1---m2---F--|
 * topics  --m1---m2------      stored a little later
 * out     ---m1---m2--F--|
 * ```
 */
export function publishMessages(
  publisher: NamedPublisher,
  options: SendOptions = {},
): OperatorFunction<Delivery<OutgoingMessage>, Delivery<OutgoingMessage>> {
  const { name = 'publishMessages' } = options;
  return sendStage(name, publisher, { codec: name, make: ({ value }) => value }, options);
}
