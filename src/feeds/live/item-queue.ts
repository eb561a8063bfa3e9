import type { FeedItem } from '../feed.ts';

/** Items between a socket that pushes and a reader that pulls; tells the socket when to pause. */
export class ItemQueue {
  readonly #limit: number;
  readonly #onDrained: () => void;
  #items: FeedItem[] = [];
  #full = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param onDrained called once the queue was full and is half empty again */
  constructor(limit: number, onDrained: () => void) {
    this.#limit = limit;
    this.#onDrained = onDrained;
  }

  get length(): number {
    return this.#items.length;
  }

  /** False once the queue is full: what pushes must pause. What it pushes nonetheless is kept. */
  push(items: readonly FeedItem[]): boolean {
    if (this.#ended) return true;
    for (const item of items) this.#items.push(item);
    if (this.#items.length >= this.#limit) this.#full = true;
    if (this.#items.length > 0) this.#wake?.();
    return !this.#full;
  }

  /** No more comes; what is there can still be taken, unless it ended with a failure. */
  end(failure?: Error): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake?.();
  }

  /** The next items, at least one; undefined at the end. Rejects with the failure. */
  async take(atMost: number): Promise<readonly FeedItem[] | undefined> {
    while (this.#items.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>(resolve => (this.#wake = resolve));
      this.#wake = undefined;
    }
    const taken = this.#items.splice(0, atMost);
    if (this.#full && this.#items.length <= this.#limit / 2) {
      this.#full = false;
      this.#onDrained();
    }
    return taken;
  }
}
