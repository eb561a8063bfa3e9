import { Observable, type OperatorFunction, type Subscriber, Subscription, asyncScheduler } from 'rxjs';
import {
  type Delivery,
  type Failed,
  type Ok,
  fail,
  failed,
  ok,
  settlement,
  withValue,
} from '../src/core/delivery.ts';
import { type Failure, reasonOf } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { countHandlerError } from '../src/core/handler-errors.ts';
import { SharedSettlement } from '../src/core/settlement.ts';
import { partialStage } from '../src/core/stage.ts';
import { KeyedTurns } from './keyed-turns.ts';
import type { StageOptions } from './map-values.ts';

export interface FallbackOptions extends StageOptions {
  /** Which failures are recovered from; default: all. The others pass. */
  readonly when?: (failure: Failure) => boolean;
  /** Observables of `recover` running at once, those of one key one after the other; default 16. */
  readonly concurrency?: number;
  /** Failures that may wait for their turn; past it they pass, with both reasons. Default 65 536. */
  readonly maxWaiting?: number;
  /**
   * Counts `stream_fallback_total` by failure tag, `stream_handler_error_total` by the stage that failed, and
   * `stream_filtered_total`, gauges `stream_buffered`.
   */
  readonly meter?: Meter;
}

/**
 * Failures become values: of the last good answer, a default, another source. Where `recover` throws or errors
 * the failure stays what it was, with both reasons.
 *
 * ```
 * in   --a---F---G---b--|      F => x, G => throw
 * out  --a---x---G---b--|
 * ```
 *
 * `recover` returns a value, or an Observable: what that emits takes the delivery's place as in `each`; the
 * delivery is acked with the last of its values, at once if there are none. Values that never failed wait for
 * nobody, so that they may overtake failures of their key that an Observable recovers.
 *
 * @example
 * prices.pipe(
 *   each(price$ => price$.pipe(mergeMap(enrich))),
 *   fallback(() => undefined, { when: ({ tag }) => tag === 'expired' || tag === 'circuit-open' }),
 * )
 *
 * @throws OptionError when made, for a bound out of range
 */
export function fallback<A, B>(
  recover: (failure: Failure, message: Message) => B | Observable<B>,
  options: FallbackOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A | B>> {
  const { name = 'fallback', concurrency = 16, maxWaiting = 65_536 } = options;
  wholeNumber(`${name}.concurrency`, concurrency, 1);
  wholeNumber(`${name}.maxWaiting`, maxWaiting, 0);
  return partialStage(name, (subscriber: Subscriber<Delivery<A | B>>) => {
    const run = new FallbackRun(subscriber, recover, { ...options, name, concurrency, maxWaiting });
    return {
      next: (delivery: Delivery<A>) => {
        if (delivery.ok) subscriber.next(delivery);
        else run.accept(delivery);
      },
      complete: () => run.complete(),
      teardown: () => run.stop(),
    };
  });
}

type RunOptions = FallbackOptions & Required<Pick<FallbackOptions, 'name' | 'concurrency' | 'maxWaiting'>>;

/** One subscription of `fallback`: failures that are being recovered from, as deliveries of their failures. */
class FallbackRun<B> {
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #recover: (failure: Failure, message: Message) => B | Observable<B>;
  readonly #options: RunOptions;
  readonly #meter: Meter;
  readonly #turns: KeyedTurns<Failure>;
  readonly #inner = new Subscription();
  readonly #forget: () => void;
  #completed = false;

  constructor(
    subscriber: Subscriber<Delivery<B>>,
    recover: (failure: Failure, message: Message) => B | Observable<B>,
    options: RunOptions,
  ) {
    const { name, concurrency, maxWaiting, meter = idleMeter } = options;
    this.#subscriber = subscriber;
    this.#recover = recover;
    this.#options = options;
    this.#meter = meter;
    this.#turns = new KeyedTurns({ concurrency, maxWaiting, order: 'key' }, turn => this.#start(turn));
    this.#forget = meter.gauge('stream_buffered', () => this.#turns.waiting, { stage: name });
  }

  accept(delivery: Failed): void {
    const { failure, message, [settlement]: duty } = delivery;
    let accepted: boolean;
    try {
      accepted = this.#options.when?.(failure) ?? true;
    } catch (error) {
      this.#subscriber.next(fail(delivery, this.#unrecovered(failure, error)));
      return;
    }
    if (!accepted) this.#subscriber.next(delivery);
    else if (!this.#turns.enter(ok(failure, message, duty))) {
      const full = new Error(`${this.#turns.waiting} failures wait already: raise concurrency or maxWaiting`);
      this.#subscriber.next(fail(delivery, this.#unrecovered(failure, full)));
    }
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

  #start(turn: Ok<Failure>): void {
    let result: B | Observable<B>;
    try {
      result = this.#recover(turn.value, turn.message);
    } catch (error) {
      this.#subscriber.next(fail(turn, this.#unrecovered(turn.value, error)));
      this.#end(turn);
      return;
    }
    if (result instanceof Observable) {
      this.#follow(turn, result);
    } else {
      this.#count(turn);
      this.#subscriber.next(withValue(turn, result));
      this.#end(turn);
    }
  }

  #follow(turn: Ok<Failure>, result$: Observable<B>): void {
    const { value: failure, message, [settlement]: duty } = turn;
    const shared = new SharedSettlement(duty);
    let outputs = 0;
    const end = (): void => {
      shared.close();
      this.#inner.remove(inner);
      this.#end(turn);
    };
    const inner = new Subscription();
    this.#inner.add(inner);
    inner.add(
      result$.subscribe({
        next: value => {
          outputs++;
          this.#subscriber.next(ok(value, message, shared.share()));
        },
        error: (error: unknown) => {
          this.#subscriber.next(failed(this.#unrecovered(failure, error), message, shared.share()));
          end();
        },
        complete: () => {
          this.#count(turn);
          if (outputs === 0)
            this.#meter.counter('stream_filtered_total', { stage: this.#options.name }).add();
          end();
        },
      }),
    );
  }

  #count({ value: failure }: Ok<Failure>): void {
    this.#meter.counter('stream_fallback_total', { stage: this.#options.name, tag: failure.tag }).add();
    countHandlerError(this.#meter, failure);
  }

  /** The failure as it was, with why it could not be recovered from. */
  #unrecovered(failure: Failure, error: unknown): Failure {
    const { name, scheduler = asyncScheduler } = this.#options;
    const reason = `${failure.reason}; and ${name} failed: ${reasonOf(error)}`;
    const cause = new AggregateError([failure.cause, error], reason);
    return { ...failure, reason, lastAt: scheduler.now(), cause };
  }

  #end(turn: Ok<Failure>): void {
    this.#turns.leave(turn);
    if (!this.#subscriber.closed) this.#completeWhenIdle();
  }

  #completeWhenIdle(): void {
    if (this.#completed && this.#turns.idle) this.#subscriber.complete();
  }
}
