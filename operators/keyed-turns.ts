import { type Ok, settlement } from '../src/core/delivery.ts';
import { Queue } from '../src/core/queue.ts';

export interface KeyedTurnsOptions {
  /** Deliveries that run at once. */
  readonly concurrency: number;
  /** `key`: those of one key one after the other; those without a key do not wait for each other. */
  readonly order: 'key' | 'none';
  /** Deliveries that may wait, and the bytes of their payloads; default: no bound of bytes. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes?: number;
}

/**
 * Whose turn it is: which deliveries run, which wait for a free place, which wait for their key. A delivery
 * enters, is started when it is its turn, and leaves when it has run. What was taken back while it waited is
 * not started: it comes again from its source.
 */
export class KeyedTurns<A> {
  readonly #start: (delivery: Ok<A>) => void;
  readonly #concurrency: number;
  readonly #byKey: boolean;
  readonly #maxWaiting: number;
  readonly #maxWaitingBytes: number;
  /** Keys that are held, each with its successors. */
  readonly #keys = new Map<string, Queue<Ok<A>>>();
  /** The successors of all keys that have none: most never get any. */
  readonly #nobody = new Queue<Ok<A>>();
  readonly #ready = new Queue<Ok<A>>();
  #running = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #starting = false;
  #stopped = false;

  constructor(options: KeyedTurnsOptions, start: (delivery: Ok<A>) => void) {
    this.#start = start;
    this.#concurrency = options.concurrency;
    this.#byKey = options.order === 'key';
    this.#maxWaiting = options.maxWaiting;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? Number.POSITIVE_INFINITY;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The bound that who finds no room has met. */
  get limit(): number {
    return this.#waiting >= this.#maxWaiting ? this.#maxWaiting : this.#maxWaitingBytes;
  }

  /** Nobody runs, nobody waits. */
  get idle(): boolean {
    return this.#running === 0 && this.#waiting === 0;
  }

  /** Starts the delivery or lets it wait; false: there is no room to wait. */
  enter(delivery: Ok<A>): boolean {
    const { key } = delivery.message;
    const successors = this.#byKey && key !== null ? this.#keys.get(key) : undefined;
    if (successors === undefined && this.#running < this.#concurrency) this.#begin(delivery);
    else if (!this.hasRoom(delivery)) return false;
    else this.#wait(delivery, successors);
    return true;
  }

  /** The delivery has run: its key and its place are free. */
  leave({ message: { key } }: Ok<A>): void {
    this.#running--;
    if (this.#stopped) return;
    this.#releaseKey(key);
    this.#startReady();
  }

  /** Whether one more may wait. */
  hasRoom({ message }: Ok<A>): boolean {
    const bytes = this.#waitingBytes + (message.payload?.length ?? 0);
    return this.#waiting < this.#maxWaiting && bytes <= this.#maxWaitingBytes;
  }

  /** A running delivery frees its place and keeps its key, until it resumes or is abandoned. */
  pause(delivery: Ok<A>): void {
    this.#running--;
    this.#count(delivery, 1);
    this.#startReady();
  }

  /** A paused delivery takes its turn among the others. */
  resume(delivery: Ok<A>): void {
    this.#ready.push(delivery);
    this.#startReady();
  }

  /** A paused delivery frees its key and is forgotten. */
  abandon(delivery: Ok<A>): void {
    if (this.#stopped) return;
    this.#count(delivery, -1);
    this.#releaseKey(delivery.message.key);
    this.#startReady();
  }

  /** Forgets who waits. */
  stop(): void {
    this.#stopped = true;
    this.#keys.clear();
    this.#ready.clear();
    this.#waiting = 0;
    this.#waitingBytes = 0;
  }

  #begin(delivery: Ok<A>): void {
    const { key } = delivery.message;
    if (this.#byKey && key !== null && !this.#keys.has(key)) this.#keys.set(key, this.#nobody);
    this.#running++;
    this.#start(delivery);
  }

  #wait(delivery: Ok<A>, successors: Queue<Ok<A>> | undefined): void {
    const { key } = delivery.message;
    this.#count(delivery, 1);
    if (successors === undefined) {
      this.#ready.push(delivery);
      // A key that waits for a free place already holds its successors back.
      if (this.#byKey && key !== null) this.#keys.set(key, this.#nobody);
    } else if (successors === this.#nobody && key !== null) {
      const first = new Queue<Ok<A>>();
      first.push(delivery);
      this.#keys.set(key, first);
    } else successors.push(delivery);
  }

  /** The key's next message takes its turn among the others; the key stays held until it has run. */
  #releaseKey(key: string | null): void {
    const successors = key === null ? undefined : this.#keys.get(key);
    if (successors === undefined || key === null) return;
    const next = this.#nextAlive(successors);
    if (next) this.#ready.push(next);
    else this.#keys.delete(key);
  }

  /** A delivery that ends at once comes back here: the loop goes on with the next, the stack stays flat. */
  #startReady(): void {
    if (this.#starting || this.#ready.size === 0) return;
    this.#starting = true;
    while (this.#running < this.#concurrency) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#count(next, -1);
      if (!next[settlement].revoked) this.#begin(next);
      else this.#releaseKey(next.message.key);
    }
    this.#starting = false;
  }

  #nextAlive(queue: Queue<Ok<A>>): Ok<A> | undefined {
    for (;;) {
      const next = queue.shift();
      if (next === undefined || !next[settlement].revoked) return next;
      this.#count(next, -1);
    }
  }

  #count({ message }: Ok<A>, sign: 1 | -1): void {
    this.#waiting += sign;
    this.#waitingBytes += sign * (message.payload?.length ?? 0);
  }
}
