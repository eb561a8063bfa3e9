/** First in, first out, without the linear cost of `Array.shift`. */
export class Queue<A> {
  #items: (A | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: A): void {
    this.#items.push(item);
  }

  peek(): A | undefined {
    return this.#items[this.#head];
  }

  shift(): A | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
