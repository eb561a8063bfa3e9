import type { Message } from '../../core/message.ts';

/**
 * Messages of one partition in the order of their offsets: new ones come at the end, old ones go from the front.
 * A dropped message leaves its slot at once, and slots are used again. An array whose head is cut off now and
 * then would hold on to the dropped until the cut; each array thrown away would hold on to its messages until a
 * full garbage collection, which makes the collector keep them as if they were old.
 */
export class MessageRing {
  #slots: (Message | undefined)[] = new Array<undefined>(64);
  #mask = 63;
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  /** The message at this place, counted from the front. */
  at(index: number): Message | undefined {
    return index < this.length ? this.#slots[(this.#head + index) & this.#mask] : undefined;
  }

  push(message: Message): void {
    if (this.length > this.#mask) this.#grow();
    this.#slots[this.#tail++ & this.#mask] = message;
  }

  shift(): Message | undefined {
    if (this.#head === this.#tail) return undefined;
    const at = this.#head++ & this.#mask;
    const message = this.#slots[at];
    this.#slots[at] = undefined;
    return message;
  }

  /** At most `max` messages from this place on. */
  slice(index: number, max: number): Message[] {
    const count = Math.max(0, Math.min(this.length - index, max));
    const messages = new Array<Message>(count);
    const start = this.#head + index;
    for (let i = 0; i < count; i++) messages[i] = this.#slots[(start + i) & this.#mask] as Message;
    return messages;
  }

  /** Where the first message at or after the offset stands; the length where there is none. */
  indexOf(offset: number): number {
    const first = this.at(0);
    if (first === undefined || offset <= first.offset) return 0;
    const guess = offset - first.offset;
    if (this.at(guess)?.offset === offset) return guess;
    // Compaction leaves gaps.
    let [low, high] = [0, Math.min(guess, this.length)];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle) as Message).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    this.#slots = new Array<undefined>(64);
    this.#mask = 63;
    this.#head = this.#tail = 0;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const slots = new Array<Message | undefined>(size);
    for (let at = this.#head; at < this.#tail; at++) slots[at & (size - 1)] = this.#slots[at & this.#mask];
    [this.#slots, this.#mask] = [slots, size - 1];
  }
}
