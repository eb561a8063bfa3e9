import type { OutgoingMessage } from '../core/message.ts';
import { BusError, type Publisher, type Receipt } from '../core/publisher.ts';
import type { PublishResult } from './event-bus.ts';

/** `publish` over `send`. */
export function publishOne(publisher: Pick<Publisher, 'send'>, message: OutgoingMessage): Promise<Receipt> {
  return new Promise((resolve, reject) => {
    publisher.send(message, (error, receipt) => {
      if (receipt) resolve(receipt);
      else reject(error ?? untold(message));
    });
  });
}

/** `publishBatch` over `send`: one result a message, in order. */
export function publishAll(
  publisher: Pick<Publisher, 'send'>,
  messages: readonly OutgoingMessage[],
): Promise<readonly PublishResult[]> {
  if (messages.length === 0) return Promise.resolve([]);
  return new Promise(resolve => {
    const results = new Array<PublishResult>(messages.length);
    let missing = messages.length;
    messages.forEach((message, i) => {
      publisher.send(message, (error, receipt) => {
        results[i] = receipt ? { ok: true, receipt } : { ok: false, error: error ?? untold(message) };
        if (--missing === 0) resolve(results);
      });
    });
  });
}

/** A backend that answers with neither a receipt nor an error has broken its contract. */
function untold({ topic }: OutgoingMessage): BusError {
  return new BusError(
    'invalid-message',
    `${topic}: the backend told neither where the message is stored nor why not: check it with busConformance`,
  );
}
