import type { SchedulerLike } from 'rxjs';
import type { Backoff } from '../src/core/backoff.ts';
import { failedOnceMore } from '../src/core/dead-letter.ts';
import { type Delivery, type Failed, type Ok, fail, gatheredIn, settlement } from '../src/core/delivery.ts';
import { originOf } from '../src/core/derived-message.ts';
import { type Failure, type PublishFailure, reasonOf } from '../src/core/failure.ts';
import { type MessageHistory, historyOf } from '../src/core/message-history.ts';
import type { BusError } from '../src/core/publisher.ts';
import { toRetryTopic } from '../src/core/retry-message.ts';
import { visitWatched } from '../src/core/watched-settlement.ts';
import type { KeyedTurns } from './keyed-turns.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { PatientSender } from './patient-sender.ts';
import type { PendingOrder } from './pending-order.ts';
import type { RetryWay } from './retry-way.ts';

export interface RetryByTopicOptions {
  readonly name: string;
  readonly retries: number;
  readonly backoff: Backoff;
  readonly scheduler: SchedulerLike;
  readonly publisher: NamedPublisher;
  /** The only pipeline that is to see the message again. */
  readonly pipeline: string;
  readonly topic: string;
  /** Keeps the order of each key; without it messages come back as they come. */
  readonly order: PendingOrder | undefined;
  readonly maxParkedPerKey: number;
  /** Told when a message has gone, with what it became where the topic does not take it. */
  readonly gone: (failed: Failed | undefined) => void;
}

/**
 * Deliveries go round: they are stored in the retry topic, acked, and come back from their own topic when it is
 * time. With an order, what comes while others of its key go round goes round behind them.
 */
export class RetryByTopic<A> implements RetryWay<A> {
  readonly #turns: KeyedTurns<A>;
  readonly #options: RetryByTopicOptions;
  readonly #sender: PatientSender;
  #sending = 0;

  constructor(turns: KeyedTurns<A>, options: RetryByTopicOptions) {
    const { name, publisher, scheduler } = options;
    this.#turns = turns;
    this.#options = options;
    this.#sender = new PatientSender(publisher, { name, scheduler });
  }

  get idle(): boolean {
    return this.#sending === 0;
  }

  get waiting(): number {
    return this.#sender.waiting;
  }

  /** They wait in the topic. */
  get untilDue(): number {
    return 0;
  }

  triedOf(): undefined {
    return undefined;
  }

  admits(delivery: Ok<A>): boolean {
    const { order } = this.#options;
    const place = order?.placeOf(delivery.message) ?? 'free';
    switch (place) {
      case 'free':
      case 'first':
        return true;
      case 'behind':
        this.#park(delivery);
        return false;
      case 'full':
        this.#turns.leave(delivery);
        this.#options.gone(fail(delivery, this.#full(delivery)));
        return false;
    }
  }

  again(delivery: Ok<A>, failure: Failure): Failure | undefined {
    const { message } = delivery;
    const { retries, backoff, pipeline, order, topic } = this.#options;
    if (gatheredIn(delivery).length > 1) {
      const reason = `${failure.reason}; and a batch cannot go round through ${topic}: retry its values before it`;
      return { ...failure, reason };
    }
    const history = historyOf(message);
    if (history.retries >= retries) return failure;
    const retryDelayMs = backoff.delayMs(history.retries + 1, history.retryDelayMs);
    const dueAt = failure.lastAt + retryDelayMs;
    const { attempts, firstFailureAt, lastFailureAt } = failedOnceMore(history, failure);
    order?.sendRound(message, dueAt);
    this.#send(
      delivery,
      {
        ...history,
        attempts,
        firstFailureAt,
        lastFailureAt,
        retries: history.retries + 1,
        retryDelayMs,
        addressee: pipeline,
      },
      dueAt,
      failure,
    );
    return undefined;
  }

  ended({ message }: Delivery<unknown>): void {
    this.#options.order?.end(message);
  }

  /** It comes again, in its place. */
  forget(): void {}

  stop(): void {
    this.#sender.stop();
  }

  /** Comes back behind the first of its key, and not at once where that is overdue. */
  #park(delivery: Ok<A>): void {
    const { order, scheduler, backoff, pipeline } = this.#options;
    const now = scheduler.now();
    // The first of its key is back by then at the latest, however the clock was set since it went.
    const firstBackAt = Math.min(order?.dueAtOf(delivery.message) ?? 0, now + backoff.longestMs);
    const dueAt = Math.max(firstBackAt, now + backoff.delayMs(1));
    this.#send(delivery, { ...historyOf(delivery.message), addressee: pipeline }, dueAt, undefined);
  }

  #send(delivery: Ok<A>, history: MessageHistory, dueAt: number, failure: Failure | undefined): void {
    const { topic, gone } = this.#options;
    const { message, [settlement]: duty } = delivery;
    this.#sending++;
    visitWatched(duty, watched => watched.departs?.());
    const round = { ...history, rounds: history.rounds + 1 };
    this.#sender.send(
      toRetryTopic(topic, originOf(message), round, { dueAt, now: this.#options.scheduler.now() }),
      duty,
      sending => {
        this.#sending--;
        if (sending === 'stored') {
          visitWatched(duty, watched => watched.goesRound?.(failure));
          duty.ack();
        } else if (sending !== 'taken-back') {
          this.ended(delivery);
          gone(fail(delivery, this.#refused(sending, failure)));
          return;
        }
        gone(undefined);
      },
    );
    this.#turns.leave(delivery);
  }

  #refused(error: BusError, failure: Failure | undefined): PublishFailure {
    const { topic, name, scheduler } = this.#options;
    const now = scheduler.now();
    const before = failure === undefined ? '' : `; it had failed with: ${failure.reason}`;
    return {
      tag: 'publish',
      stage: name,
      reason: `${topic} does not take it: ${reasonOf(error)}${before}`,
      code: error.code,
      topic,
      attempts: failure?.attempts ?? 1,
      firstAt: failure?.firstAt ?? now,
      lastAt: failure?.lastAt ?? now,
      retryable: error.retryable,
      cause: error,
    };
  }

  #full({ [settlement]: duty }: Ok<A>): Failure {
    const { name, scheduler, maxParkedPerKey: limit, topic } = this.#options;
    const now = scheduler.now();
    return {
      tag: 'overflow',
      stage: name,
      reason: `${limit} messages of its key go round through ${topic} already: raise maxParkedPerKey, or see why the first fails`,
      attempts: duty.attempt,
      firstAt: now,
      lastAt: now,
      limit,
      retryable: true,
    };
  }
}
