import { randomUUID } from 'node:crypto';
import { type MessageId, messageId } from './message.ts';

const blockSize = 256;
const lastDigits = Array.from({ length: blockSize }, (_, i) => i.toString(16).padStart(2, '0'));

/** Ids for messages whose senders give none. A block of them shares all but the last two digits: one costs a lookup. */
export class MessageIds {
  readonly #prefix = randomUUID().replaceAll('-', '').slice(0, 20);
  #block = '';
  #made = 0;

  next(): MessageId {
    const place = this.#made++ % blockSize;
    if (place === 0) {
      const block = Math.floor(this.#made / blockSize);
      this.#block = this.#prefix + block.toString(16).padStart(10, '0');
    }
    return messageId(this.#block + (lastDigits[place] ?? ''));
  }
}
