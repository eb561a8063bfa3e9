import { type SchedulerLike, Subscription } from 'rxjs';
import { steadyNow } from './steady-clock.ts';

interface Entry<A> {
  readonly at: number;
  /** Of those of one time the first comes first. */
  readonly sequence: number;
  readonly item: A;
}

/** Node's timers take no longer delay; what is due later is looked at again then. */
const longestTimerMs = 2 ** 31 - 1;

/** Items that wait for a time, handed out when it has come, in the order of their times; one timer for all. */
export class DueQueue<A> {
  readonly #scheduler: SchedulerLike;
  readonly #due: (item: A) => void;
  /** A binary heap: no entry is due before its parent. */
  readonly #heap: Entry<A>[] = [];
  #sequence = 0;
  #timer = new Subscription();
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(scheduler: SchedulerLike, due: (item: A) => void) {
    this.#scheduler = scheduler;
    this.#due = due;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** @param at ms, as {@link steadyNow} tells them: what waits is not to wait longer because somebody sets the clock */
  add(item: A, at: number): void {
    this.#heap.push({ at, sequence: this.#sequence++, item });
    this.#rise(this.#heap.length - 1);
    this.#wake();
  }

  clear(): void {
    this.#heap.length = 0;
    this.#timer.unsubscribe();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    const at = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (at >= this.#timerAt) return;
    this.#timer.unsubscribe();
    this.#timerAt = at;
    const delayMs = Math.min(longestTimerMs, Math.max(0, Math.ceil(at - steadyNow(this.#scheduler))));
    this.#timer = this.#scheduler.schedule(() => this.#handOut(), delayMs);
  }

  /** What is added meanwhile has its turn later, so that this ends. */
  #handOut(): void {
    this.#timerAt = Number.NEGATIVE_INFINITY;
    const now = steadyNow(this.#scheduler);
    const end = this.#sequence;
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.at > now || first.sequence >= end) break;
      this.#removeFirst();
      this.#due(first.item);
    }
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#wake();
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(index: number): void {
    for (let child = index; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#swapUnlessInOrder(parent, child)) return;
      child = parent;
    }
  }

  #sink(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const child = this.#isBefore(right, left) ? right : left;
      if (!this.#swapUnlessInOrder(parent, child)) return;
      parent = child;
    }
  }

  #swapUnlessInOrder(parent: number, child: number): boolean {
    const [upper, lower] = [this.#heap[parent], this.#heap[child]];
    if (upper === undefined || lower === undefined || !this.#isBefore(child, parent)) return false;
    this.#heap[parent] = lower;
    this.#heap[child] = upper;
    return true;
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
  }
}
