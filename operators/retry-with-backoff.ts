import type { OperatorFunction, Subscriber } from 'rxjs';
import { type Delivery, type Failed, type Ok, fail, settlement, withValue } from '../src/core/delivery.ts';
import { type Failure, handleFailure } from '../src/core/failure.ts';
import { emitAll } from '../src/core/outputs.ts';
import { partialStage } from '../src/core/stage.ts';
import { Attempt, type AttemptContext, type AttemptEnd, type Pending, isPending } from './attempt.ts';
import { expiredFailure, thrownFailure } from './attempt-failure.ts';
import { KeyedTurns } from './keyed-turns.ts';
import { overflowOf } from './overflow.ts';
import { PendingOrder } from './pending-order.ts';
import { RetryByTopic } from './retry-by-topic.ts';
import { RetryInMemory } from './retry-in-memory.ts';
import { type CheckedRetryOptions, type RetryOptions, checkRetryOptions } from './retry-options.ts';
import type { RetryWay } from './retry-way.ts';
import { RunningAttempts } from './running-attempts.ts';

/** A result, or a way to one: an Observable's values leave together when it completes. */
export type Handler<A, B> = (value: A, context: AttemptContext) => B | Pending<B>;

/**
 * Each value becomes what a handler makes of it: a plain value, what a Promise resolves to, or the values of an
 * Observable once it is complete (none: the delivery is acked). A handler that throws, rejects, errors or takes
 * too long is called again after 100, 200 and 400 ms, each delay shortened at random by up to half; then, or at
 * once where trying again is of no use, the delivery has failed.
 *
 * ```
 * in   --a--b----c-----------|      b fails twice: at once and 100 ms later
 * out  --a-------c--//---b---|      a and c are of other keys
 * ```
 *
 * A message that waits for its next attempt holds up only its own key. It waits in memory, or, for longer delays
 * and across restarts, in a retry topic (`through`): it is acked once it is stored there, and the pipeline
 * `retries` sends it back to where it came from, for this pipeline alone, with what it has been through in its
 * headers. What waits in memory goes on counting where it was after a restart or a rebalance if it is given the
 * pipeline's `state`, which notes an attempt soon after it has failed; else it begins anew. While that topic cannot be reached messages wait for it in order; what it will never take has failed.
 * A message that comes back this way is younger in its topic than its event time says. A batch goes no such way: it
 * has failed at once.
 * Unsubscribing, or taking a delivery back, aborts its attempt and forgets it.
 *
 * @example
 * prices.pipe(retryWithBackoff(price => enrich(price), { retries: 5, timeoutMs: 2_000 }))
 *
 * @example
 * pipeline('enrich', ({ source, publisher, state, onFailure }) =>
 *   source(prices).pipe(
 *     decode(prices),
 *     retryWithBackoff(price => enrich(price), { firstDelayMs: 5_000, maxDelayMs: 60_000, through: { publisher, state } }),
 *     onFailure(),
 *   ));
 *
 * @throws OptionError when made, for an option out of range, for `through` a publisher without a pipeline, and for
 * one in the order of keys without state
 */
export function retryWithBackoff<A, B>(
  handler: Handler<A, B>,
  options: RetryOptions = {},
): OperatorFunction<Delivery<A>, Delivery<B>> {
  const checked = checkRetryOptions(options);
  return partialStage(checked.name, subscriber => {
    const run = new RetryRun(subscriber, handler, checked);
    return {
      next: delivery => run.accept(delivery),
      complete: () => run.complete(),
      teardown: () => run.stop(),
    };
  });
}

/** One subscription: calls the handler, and sees what becomes of each attempt. */
class RetryRun<A, B> implements AttemptEnd<A, B> {
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #handler: Handler<A, B>;
  readonly #options: CheckedRetryOptions;
  readonly #turns: KeyedTurns<A>;
  readonly #way: RetryWay<A>;
  readonly #running: RunningAttempts<Attempt<A, B>>;
  readonly #forget: () => void;
  readonly #counters;
  #completed = false;

  constructor(subscriber: Subscriber<Delivery<B>>, handler: Handler<A, B>, options: CheckedRetryOptions) {
    const { name, meter, scheduler, timeoutMs } = options;
    this.#subscriber = subscriber;
    this.#handler = handler;
    this.#options = options;
    this.#turns = new KeyedTurns(options, delivery => this.#try(delivery));
    this.#way = wayOf(this.#turns, options, failed => this.#gone(failed));
    this.#running = new RunningAttempts(scheduler, timeoutMs, attempt => this.#expire(attempt));
    const tags = { stage: name };
    this.#counters = {
      retries: meter.counter('stream_retries_total', tags),
      errors: meter.counter('stream_handler_error_total', tags),
      filtered: meter.counter('stream_filtered_total', tags),
    };
    const forgets = [
      meter.gauge('stream_buffered', () => this.#turns.waiting + this.#way.waiting, tags),
      meter.gauge('stream_retry_waiting', () => this.#way.untilDue, tags),
    ];
    this.#forget = () => forgets.forEach(forget => forget());
  }

  accept(delivery: Delivery<A>): void {
    if (!delivery.ok) {
      this.#way.ended(delivery);
      this.#subscriber.next(delivery);
    } else if (!this.#turns.enter(delivery)) {
      const { attempt } = delivery[settlement];
      const now = this.#options.scheduler.now();
      this.#way.ended(delivery);
      const base = handleFailure(this.#options.name, undefined, attempt, now);
      this.#subscriber.next(fail(delivery, overflowOf(this.#turns, base)));
    }
  }

  complete(): void {
    this.#completed = true;
    this.#completeWhenIdle();
  }

  stop(): void {
    this.#forget();
    this.#turns.stop();
    this.#way.stop();
    this.#running.stop(attempt => attempt.abort(new Error('unsubscribed from')));
  }

  succeeded(attempt: Attempt<A, B>, outputs: readonly B[]): void {
    const { delivery } = attempt;
    this.#running.delete(attempt);
    this.#way.ended(delivery);
    if (outputs.length === 0) this.#counters.filtered.add();
    emitAll(this.#subscriber, delivery, outputs);
    this.#leave(delivery);
  }

  failed(attempt: Attempt<A, B>, error: unknown): void {
    this.#running.delete(attempt);
    this.#failed(attempt, thrownFailure(error, this.#options));
  }

  takenBack(attempt: Attempt<A, B>): void {
    this.#running.delete(attempt);
    this.#way.forget(attempt.delivery);
    this.#leave(attempt.delivery);
  }

  #try(delivery: Ok<A>): void {
    if (!this.#way.admits(delivery)) return;
    const attempt = new Attempt<A, B>(delivery, (this.#way.triedOf(delivery)?.count ?? 0) + 1);
    let result: B | Pending<B>;
    try {
      result = this.#handler(delivery.value, attempt);
    } catch (error) {
      this.#failed(attempt, thrownFailure(error, this.#options));
      return;
    }
    if (isPending(result)) {
      this.#running.add(attempt);
      attempt.wait(result, this);
      return;
    }
    this.#way.ended(delivery);
    this.#subscriber.next(withValue(delivery, result));
    this.#leave(delivery);
  }

  #expire(attempt: Attempt<A, B>): void {
    const failure = expiredFailure(this.#options);
    attempt.abort(failure.cause);
    this.#failed(attempt, failure);
  }

  #failed({ delivery, count }: Attempt<A, B>, last: Failure): void {
    const firstAt = this.#way.triedOf(delivery)?.firstAt ?? last.firstAt;
    const failure = { ...last, attempts: count, firstAt };
    const final = failure.retryable ? this.#way.again(delivery, failure) : failure;
    // Any other is counted where it leaves the chain.
    if (final?.tag !== 'handle') this.#counters.errors.add();
    if (final === undefined) {
      this.#counters.retries.add();
      this.#completeWhenIdle();
      return;
    }
    this.#way.ended(delivery);
    this.#subscriber.next(fail(delivery, final));
    this.#leave(delivery);
  }

  /** A message has gone to the retry topic, or cannot. */
  #gone(failed: Failed | undefined): void {
    if (failed) this.#subscriber.next(failed);
    this.#completeWhenIdle();
  }

  #leave(delivery: Ok<A>): void {
    this.#turns.leave(delivery);
    this.#completeWhenIdle();
  }

  #completeWhenIdle(): void {
    if (this.#completed && this.#turns.idle && this.#way.idle) this.#subscriber.complete();
  }
}

function wayOf<A>(
  turns: KeyedTurns<A>,
  options: CheckedRetryOptions,
  gone: (failed: Failed | undefined) => void,
): RetryWay<A> {
  const { through, name } = options;
  if (through === undefined) {
    return new RetryInMemory(turns, { ...options, ledger: options.state?.attempts(name) });
  }
  const { state, maxParkedPerKey } = through;
  const order = state && new PendingOrder(state, name, maxParkedPerKey);
  return new RetryByTopic(turns, { ...options, ...through, order, gone });
}
