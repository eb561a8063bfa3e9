import type { OutgoingMessage } from '../core/message.ts';
import { BusError, type Publisher, type Receipt } from '../core/publisher.ts';
import type { PublishResult } from './event-bus.ts';

/** `publish` over `send`. */
export function publishOne(publisher: Pick<Publisher, 'send'>, message: OutgoingMessage): Promise<Receipt> {
  return new Promise((resolve, reject) => {
    publisher.send(message, (error, receipt) => {
      if (receipt) resolve(receipt);
      else reject(error ?? untold());
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
        results[i] = receipt ? { ok: true, receipt } : { ok: false, error: error ?? untold() };
        if (--missing === 0) resolve(results);
      });
    });
  });
}

function untold(): BusError {
  return new BusError('invalid-message', 'the bus told nothing of the message');
}
