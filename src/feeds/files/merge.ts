import type { FeedItem } from '../feed.ts';
import { timeOf, type ItemSource } from './timed-source.ts';

/** A source and the item of it that comes next. */
class Cursor {
  readonly source: ItemSource;
  readonly order: number;
  #items: readonly FeedItem[] = [];
  #at = 0;
  /** Event time of the item at hand; malformed input stands with the item before it. */
  time = 0;
  /** Items taken of the source since its beginning. */
  taken = 0;

  constructor(source: ItemSource, order: number) {
    this.source = source;
    this.order = order;
  }

  get item(): FeedItem | undefined {
    return this.#items[this.#at];
  }

  /** Moves on; a promise only where more has to be read. */
  advance(): boolean | Promise<boolean> {
    this.#at += 1;
    this.taken += 1;
    return this.#at < this.#items.length ? this.#arrive() : this.#refill();
  }

  /** Passes over what was taken before, and comes to the first item. */
  async start(skip: number): Promise<boolean> {
    this.taken = skip;
    let left = skip;
    while (await this.#refill()) {
      if (this.#items.length > left) {
        for (this.#at = 0; this.#at < left; this.#at += 1) this.#arrive();
        return this.#arrive();
      }
      for (const item of this.#items) this.time = timeOf(item) ?? this.time;
      left -= this.#items.length;
    }
    return false;
  }

  async #refill(): Promise<boolean> {
    for (;;) {
      const items = await this.source.next();
      if (items === undefined) return false;
      if (items.length === 0) continue;
      this.#items = items;
      this.#at = 0;
      return this.#arrive();
    }
  }

  #arrive(): true {
    const { item } = this;
    if (item !== undefined) this.time = timeOf(item) ?? this.time;
    return true;
  }
}

const before = (a: Cursor, b: Cursor): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

/** Several sources as one, by event time; each keeps its own order. Holds a piece of each, never a whole. */
export class Merge {
  readonly #all: readonly Cursor[];
  readonly #heap: Cursor[] = [];

  constructor(sources: readonly ItemSource[]) {
    this.#all = sources.map((source, order) => new Cursor(source, order));
  }

  /** @param taken how many items of each source were taken before, by its name */
  async start(taken: Readonly<Record<string, number>>): Promise<void> {
    for (const cursor of this.#all) {
      if (await cursor.start(taken[cursor.source.name] ?? 0)) this.#push(cursor);
    }
  }

  /** The next item, undefined at the end. It stays the next one until it is taken. */
  get head(): FeedItem | undefined {
    return this.#heap[0]?.item;
  }

  /** Takes the next item; the promise, where there is one, must be awaited before going on. */
  take(): void | Promise<void> {
    const [first] = this.#heap;
    if (first === undefined) return;
    const more = first.advance();
    if (typeof more === 'boolean') this.#settle(more);
    else return more.then(there => this.#settle(there));
  }

  /** Items taken of each source, by its name. */
  get taken(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#all.map(cursor => [cursor.source.name, cursor.taken]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(cursor => cursor.source.close()));
  }

  #settle(more: boolean): void {
    if (!more) {
      const last = this.#heap.pop();
      if (last === undefined || this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#sink();
  }

  #push(cursor: Cursor): void {
    const heap = this.#heap;
    let at = heap.push(cursor) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(cursor, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = cursor;
  }

  #sink(): void {
    const heap = this.#heap;
    const [top] = heap;
    if (top === undefined) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && before(right, left)) {
        least = right;
        child += 1;
      }
      if (!before(least, top)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = top;
  }
}
