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
import { SharedSettlement } from '../src/core/settlement.ts';
import { partialStage } from '../src/core/stage.ts';
import { KeyedTurns } from './keyed-turns.ts';
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
  return partialStage(name, subscriber => {
    const run = new EachRun(subscriber, project, options, name);
    return {
      next: delivery => run.accept(delivery),
      complete: () => run.complete(),
      teardown: () => run.stop(),
    };
  });
}

/** One subscription of `each`: its inner streams, and what becomes of their outputs. */
class EachRun<A, B> {
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #project: (value$: Observable<A>, context: EachContext) => Observable<B>;
  readonly #options: EachOptions;
  readonly #name: string;
  readonly #maxWaiting: number;
  readonly #turns: KeyedTurns<A>;
  readonly #inner = new Subscription();
  readonly #forget: () => void;
  readonly #filtered;
  #completed = false;

  constructor(
    subscriber: Subscriber<Delivery<B>>,
    project: (value$: Observable<A>, context: EachContext) => Observable<B>,
    options: EachOptions,
    name: string,
  ) {
    const { concurrency = 16, maxWaiting = 65_536, order = 'key', meter = idleMeter } = options;
    this.#subscriber = subscriber;
    this.#project = project;
    this.#options = options;
    this.#name = name;
    this.#maxWaiting = maxWaiting;
    this.#turns = new KeyedTurns({ concurrency, maxWaiting, order }, delivery => this.#start(delivery));
    this.#filtered = meter.counter('stream_filtered_total', { stage: name });
    this.#forget = meter.gauge('stream_buffered', () => this.#turns.waiting, { stage: name });
  }

  accept(delivery: Delivery<A>): void {
    if (!delivery.ok) this.#subscriber.next(delivery);
    else if (!this.#turns.enter(delivery)) this.#refuse(delivery);
  }

  complete(): void {
    this.#completed = true;
    this.#completeWhenIdle();
  }

  stop(): void {
    this.#forget();
    this.#inner.unsubscribe();
    this.#turns.stop();
  }

  #start(delivery: Ok<A>): void {
    const { message, [settlement]: duty, value } = delivery;
    const shared = new SharedSettlement(duty);
    let outputs = 0;
    const fail = (error: unknown): void => {
      if (duty.revoked) return end();
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
      this.#turns.leave(delivery);
      this.#completeWhenIdle();
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
          // It comes again, or is another's by now, and so is the state that this would change.
          if (duty.revoked) return;
          outputs++;
          this.#subscriber.next(ok(output, message, shared.share()));
        },
        error: fail,
        complete: end,
      }),
    );
  }

  #refuse(delivery: Ok<A>): void {
    const now = (this.#options.scheduler ?? asyncScheduler).now();
    const { message, [settlement]: duty } = delivery;
    const reason = `${this.#turns.waiting} deliveries wait already: lower maxInFlight of the source or raise maxWaiting`;
    const base = handleFailure(this.#name, reason, duty.attempt, now);
    this.#subscriber.next(failed({ ...base, tag: 'overflow', limit: this.#maxWaiting }, message, duty));
  }

  #completeWhenIdle(): void {
    if (this.#completed && this.#turns.idle) this.#subscriber.complete();
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
