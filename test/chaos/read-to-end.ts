import { settlement } from '../../src/core/delivery.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { Message } from '../../src/core/message.ts';

/** Takes every message of a topic, to the end that there is now. */
export function readToEnd(bus: EventBus, topic: string, take: (message: Message) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    bus.source(topic, { untilEnd: true }).subscribe({
      next: ({ message, [settlement]: duty }) => {
        take(message);
        duty.ack();
      },
      error: reject,
      complete: resolve,
    });
  });
}
