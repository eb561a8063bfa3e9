import {
  type Observable,
  type OperatorFunction,
  type Subscriber,
  Subscription,
  asyncScheduler,
  of,
} from 'rxjs';
import { type Delivery, type Ok, failed, ok, settlement } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { Queue } from '../src/core/queue.ts';
import { SharedSettlement } from '../src/core/settlement.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';

export interface EachOptions extends StageOptions {
  /** Inner streams running at once; default 16. */
  readonly concurrency?: number;
  /** `key` (default): messages of one key one after the other. `none`: as they come. */
  readonly order?: 'key' | 'none';
  /** Deliveries that may wait for their turn; past it they fail with `overflow`. Default 65 536. */
  readonly maxWaiting?: number;
  /** Counts `stream_filtered_total`, gauges `stream_buffered`. */
  readonly meter?: Meter;
}

/** What an inner stream may want to know beside the value. */
export interface EachContext {
  readonly message: Message;
  /** Aborts when the delivery is taken back: what the inner stream still does is for nothing. */
  readonly signal: AbortSignal;
}

/**
 * Plain RxJS over plain values: one inner stream per delivery. What the inner stream emits takes the
 * delivery's place; the delivery is acked with the last of its outputs, at once if there are none, and an
 * error of the inner stream becomes a `handle` failure.
 *
 * ```
 * in          --a-----b-----c--|      a -> (1)(2), b -> error, c -> nothing
 * out         --1-2---F--------|
 * acked         a with 2, F by what follows, c at once
 * ```
 *
 * @example
 * prices.pipe(each(price$ => price$.pipe(filter(p => p.price > 0), mergeMap(enrich)), { concurrency: 64 }))
 *
 * @throws OptionError when made, for a concurrency or bound out of range
 */
export function each<A, B>(
  project: (value$: Observable<A>, context: EachContext) => Observable<B>,
  options: EachOptions = {},
): OperatorFunction<Delivery<A>, Delivery<B>> {
  const { name = 'each' } = options;
  wholeNumber(`${name}.concurrency`, options.concurrency ?? 16, 1);
  wholeNumber(`${name}.maxWaiting`, options.maxWaiting ?? 65_536, 0);
  return stage(name, subscriber => {
    const run = new EachRun(subscriber, project, options, name);
    return {
      next: delivery => run.accept(delivery),
      complete: () => run.complete(),
      teardown: () => run.stop(),
    };
  });
}

/** One subscription of `each`: who runs, who waits for a free place, who waits for its key. */
class EachRun<A, B> {
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #project: (value$: Observable<A>, context: EachContext) => Observable<B>;
  readonly #options: EachOptions;
  readonly #name: string;
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #byKey: boolean;
  /** Keys that run, each with its successors. */
  readonly #keys = new Map<string, Queue<Ok<A>>>();
  readonly #ready = new Queue<Ok<A>>();
  readonly #inner = new Subscription();
  readonly #forget: () => void;
  readonly #filtered;
  #running = 0;
  #waiting = 0;
  #completed = false;
  #starting = false;

  constructor(
    subscriber: Subscriber<Delivery<B>>,
    project: (value$: Observable<A>, context: EachContext) => Observable<B>,
    options: EachOptions,
    name: string,
  ) {
    this.#subscriber = subscriber;
    this.#project = project;
    this.#options = options;
    this.#name = name;
    this.#concurrency = options.concurrency ?? 16;
    this.#maxWaiting = options.maxWaiting ?? 65_536;
    this.#byKey = (options.order ?? 'key') === 'key';
    const meter = options.meter ?? idleMeter;
    this.#filtered = meter.counter('stream_filtered_total', { stage: name });
    this.#forget = meter.gauge('stream_buffered', () => this.#waiting, { stage: name });
  }

  accept(delivery: Delivery<A>): void {
    if (!delivery.ok) {
      this.#subscriber.next(delivery);
      return;
    }
    const { key } = delivery.message;
    const successors = this.#byKey && key !== null ? this.#keys.get(key) : undefined;
    if (successors === undefined && this.#running < this.#concurrency) this.#start(delivery);
    else if (this.#waiting >= this.#maxWaiting) this.#refuse(delivery);
    else this.#wait(delivery, successors ?? this.#ready);
  }

  complete(): void {
    this.#completed = true;
    this.#completeWhenIdle();
  }

  stop(): void {
    this.#forget();
    this.#inner.unsubscribe();
    this.#keys.clear();
    this.#ready.clear();
    this.#waiting = 0;
  }

  #wait(delivery: Ok<A>, queue: Queue<Ok<A>>): void {
    const { key } = delivery.message;
    // A key that waits for a free place already holds its successors back.
    if (queue === this.#ready && this.#byKey && key !== null) this.#keys.set(key, new Queue());
    queue.push(delivery);
    this.#waiting++;
  }

  #start(delivery: Ok<A>): void {
    const { message, [settlement]: duty, value } = delivery;
    const { key } = message;
    if (this.#byKey && key !== null && !this.#keys.has(key)) this.#keys.set(key, new Queue());
    this.#running++;
    const shared = new SharedSettlement(duty);
    let outputs = 0;
    const fail = (error: unknown): void => {
      const now = (this.#options.scheduler ?? asyncScheduler).now();
      const failure = handleFailure(this.#name, error, duty.attempt, now);
      this.#subscriber.next(failed(failure, message, shared.share()));
      outputs++;
      end();
    };
    const end = (): void => {
      if (outputs === 0) this.#filtered.add();
      shared.close();
      this.#inner.remove(inner);
      this.#finish(key);
    };
    const inner = new Subscription();
    this.#inner.add(inner);
    const context = new LazyContext(delivery);
    let result: Observable<B>;
    try {
      result = this.#project(of(value), context);
    } catch (error) {
      fail(error);
      return;
    }
    inner.add(
      result.subscribe({
        next: output => {
          outputs++;
          this.#subscriber.next(ok(output, message, shared.share()));
        },
        error: fail,
        complete: end,
      }),
    );
  }

  #finish(key: string | null): void {
    this.#running--;
    if (this.#subscriber.closed) return;
    this.#releaseKey(key);
    this.#startReady();
    this.#completeWhenIdle();
  }

  /** The key's next message takes its turn among the others; the key stays held until it has run. */
  #releaseKey(key: string | null): void {
    const successors = key === null ? undefined : this.#keys.get(key);
    if (successors === undefined || key === null) return;
    const next = this.#nextAlive(successors);
    if (next) this.#ready.push(next);
    else this.#keys.delete(key);
  }

  /** An inner stream that ends at once comes back here: the loop goes on with the next, the stack stays flat. */
  #startReady(): void {
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#concurrency) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#waiting--;
      if (!next[settlement].revoked) this.#start(next);
      else this.#releaseKey(next.message.key);
    }
    this.#starting = false;
  }

  /** Deliveries that were taken back while they waited come again from their source. */
  #nextAlive(queue: Queue<Ok<A>>): Ok<A> | undefined {
    for (;;) {
      const next = queue.shift();
      if (next === undefined || !next[settlement].revoked) return next;
      this.#waiting--;
    }
  }

  #refuse(delivery: Ok<A>): void {
    const now = (this.#options.scheduler ?? asyncScheduler).now();
    const { message, [settlement]: duty } = delivery;
    const reason = `${this.#waiting} deliveries wait already: lower maxInFlight of the source or raise maxWaiting`;
    const base = handleFailure(this.#name, reason, duty.attempt, now);
    this.#subscriber.next(failed({ ...base, tag: 'overflow', limit: this.#maxWaiting }, message, duty));
  }

  #completeWhenIdle(): void {
    if (this.#completed && this.#running === 0 && this.#waiting === 0) this.#subscriber.complete();
  }
}

/** The signal is made only for those who ask for it. */
class LazyContext implements EachContext {
  readonly #delivery: Ok<unknown>;

  constructor(delivery: Ok<unknown>) {
    this.#delivery = delivery;
  }

  get message(): Message {
    return this.#delivery.message;
  }

  get signal(): AbortSignal {
    return this.#delivery[settlement].signal;
  }
}
