import type { SchedulerLike } from 'rxjs';
import type { AttemptLedger, AttemptRecord } from '../src/core/attempt-ledger.ts';
import type { Backoff } from '../src/core/backoff.ts';
import { type Delivery, type Ok, settlement } from '../src/core/delivery.ts';
import { DueQueue } from '../src/core/due-queue.ts';
import type { Failure } from '../src/core/failure.ts';
import type { KeyedTurns } from './keyed-turns.ts';
import { overflowOf } from './overflow.ts';
import type { RetryWay, Tried } from './retry-way.ts';
import { steadyNow } from '../src/core/steady-clock.ts';

export interface RetryInMemoryOptions {
  readonly retries: number;
  readonly backoff: Backoff;
  readonly scheduler: SchedulerLike;
  /** Outlives the operator, and this process where it is stored; undefined: what waits is forgotten with it. */
  readonly ledger: AttemptLedger | undefined;
}

interface Retrying extends Tried {
  readonly delayMs: number;
  /** Its delay is over; it waits for its turn. */
  isDue: boolean;
  /** No longer looks whether the delivery is taken back. */
  readonly unwatch: () => void;
}

/** Deliveries wait for their next attempt in memory: each holds its key, none a place among those that run. */
export class RetryInMemory<A> implements RetryWay<A> {
  readonly #turns: KeyedTurns<A>;
  readonly #options: RetryInMemoryOptions;
  readonly #retrying = new Map<Delivery<unknown>, Retrying>();
  readonly #waiting: DueQueue<Ok<A>>;

  constructor(turns: KeyedTurns<A>, options: RetryInMemoryOptions) {
    this.#turns = turns;
    this.#options = options;
    this.#waiting = new DueQueue(options.scheduler, delivery => this.#due(delivery));
  }

  /** Who waits counts among those that wait for their turn. */
  get idle(): boolean {
    return true;
  }

  get waiting(): number {
    return 0;
  }

  get untilDue(): number {
    let count = 0;
    for (const { isDue } of this.#retrying.values()) if (!isDue) count++;
    return count;
  }

  triedOf(delivery: Ok<A>): Tried | undefined {
    const retrying = this.#retrying.size === 0 ? undefined : this.#retrying.get(delivery);
    return retrying ?? this.#remembered(delivery);
  }

  admits(delivery: Ok<A>): boolean {
    const retrying = this.#retrying.size === 0 ? undefined : this.#retrying.get(delivery);
    if (retrying === undefined) return !this.#waitsOn(delivery);
    retrying.unwatch();
    return true;
  }

  again(delivery: Ok<A>, failure: Failure): Failure | undefined {
    const { attempts: count, firstAt, lastAt } = failure;
    if (count > this.#options.retries) return failure;
    if (!this.#turns.hasRoom(delivery)) return overflowOf(this.#turns, failure);
    const delayMs = this.#options.backoff.delayMs(count, this.#retrying.get(delivery)?.delayMs);
    const dueAt = lastAt + delayMs;
    this.#options.ledger?.set(delivery.message, { count, firstAt, lastAt, dueAt });
    this.#wait(delivery, { count, firstAt }, delayMs, delayMs);
    return undefined;
  }

  ended(delivery: Delivery<unknown>): void {
    if (this.#retrying.size > 0) this.#retrying.delete(delivery);
    const { ledger } = this.#options;
    if (ledger !== undefined && ledger.size > 0) ledger.delete(delivery.message);
  }

  forget(delivery: Ok<A>): void {
    this.#retrying.delete(delivery);
  }

  stop(): void {
    for (const { unwatch } of this.#retrying.values()) unwatch();
    this.#retrying.clear();
    this.#waiting.clear();
  }

  /** What a message has been through that was tried by another run, or before it was taken back. */
  #remembered({ message }: Ok<A>): AttemptRecord | undefined {
    const { ledger } = this.#options;
    return ledger === undefined || ledger.size === 0 ? undefined : ledger.get(message);
  }

  /** A message that is here again waits for as long as it would have waited. */
  #waitsOn(delivery: Ok<A>): boolean {
    const remembered = this.#remembered(delivery);
    if (remembered === undefined) return false;
    const { lastAt, dueAt } = remembered;
    const delayMs = dueAt - lastAt;
    // Not longer, though, than was meant at first, however the clock was set since.
    const leftMs = Math.min(delayMs, dueAt - this.#options.scheduler.now());
    if (leftMs <= 0 || !this.#turns.hasRoom(delivery)) return false;
    this.#wait(delivery, remembered, delayMs, leftMs);
    return true;
  }

  #wait(delivery: Ok<A>, { count, firstAt }: Tried, delayMs: number, leftMs: number): void {
    this.#retrying.set(delivery, { count, firstAt, delayMs, isDue: false, unwatch: this.#watch(delivery) });
    this.#waiting.add(delivery, steadyNow(this.#options.scheduler) + leftMs);
    this.#turns.pause(delivery);
  }

  #due(delivery: Ok<A>): void {
    const retrying = this.#retrying.get(delivery);
    if (retrying === undefined) return;
    retrying.isDue = true;
    this.#turns.resume(delivery);
  }

  /** What is taken back while it waits lets its key go on at once. */
  #watch(delivery: Ok<A>): () => void {
    const { signal } = delivery[settlement];
    const takenBack = (): void => {
      const wasDue = this.#retrying.get(delivery)?.isDue === true;
      this.#retrying.delete(delivery);
      // Who waits for its turn already is left out when it comes.
      if (!wasDue) this.#turns.abandon(delivery);
    };
    signal.addEventListener('abort', takenBack, { once: true });
    return () => signal.removeEventListener('abort', takenBack);
  }
}
