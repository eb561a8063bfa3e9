import type { Subscription } from 'rxjs';
import type { EventBus } from '../../bus/event-bus.ts';
import { type Delivery, settlement } from '../../core/delivery.ts';
import type { Bytes, Message } from '../../core/message.ts';
import type { Topic } from '../../core/topic.ts';

/**
 * Reads a topic beside everybody else, from what is new on, or from its beginning.
 *
 * @param error told where it cannot be read on
 */
export function tail<A>(
  bus: EventBus,
  topic: Topic<A>,
  take: (value: A, message: Message) => void,
  from: 'earliest' | 'latest' = 'latest',
  error?: (error: unknown) => void,
): Subscription {
  const next = (delivery: Delivery<Bytes>): void => {
    const { message } = delivery;
    if (message.payload !== null) {
      const decoded = topic.codec.decode(message.payload);
      if (decoded._tag === 'Right') take(decoded.right, message);
    }
    delivery[settlement].ack();
  };
  return bus.source(topic.name, { from }).subscribe({ next, ...(error && { error }) });
}
