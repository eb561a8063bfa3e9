import { type OperatorFunction, type SchedulerLike, type Subscriber, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import { DueQueue } from '../src/core/due-queue.ts';
import { handleFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';
import { steadyNow } from '../src/core/steady-clock.ts';

export interface DelayUntilOptions extends StageOptions {
  /** Gauges `stream_delayed`: a pipeline that drains does not wait for what is not due. */
  readonly meter?: Meter;
}

/**
 * Holds each value until its time has come by the scheduler's clock; what is due already passes at once. A clock that
 * is set meanwhile lets nobody wait longer, or shorter. Values of one key keep their order: one that is due before
 * another of its key that came first waits for that. What waits is bounded by the credits of the source. Failures wait
 * for nobody.
 *
 * ```
 * in   --a5-b3-F-------|      a is due at 10, b, of another key, at 8
 * out  --------Fb-a----|
 * ```
 *
 * @example
 * orders.pipe(delayUntil((_, { timestamp }) => timestamp + 60_000))
 */
export function delayUntil<A>(
  dueAt: (value: A, message: Message) => number,
  { name = 'delayUntil', scheduler = asyncScheduler, meter = idleMeter }: DelayUntilOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  return stage(name, subscriber => {
    const waiting = new Waiting(subscriber, scheduler);
    const forget = meter.gauge('stream_delayed', () => waiting.size, { stage: name });
    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        let at: number;
        try {
          at = dueAt(delivery.value, delivery.message);
        } catch (error) {
          const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
          return subscriber.next(fail(delivery, failure));
        }
        return waiting.take(delivery, at);
      },
      complete: () => waiting.complete(),
      teardown: () => {
        forget();
        waiting.stop();
      },
    };
  });
}

/** What of one key waits. */
interface WaitingKey {
  count: number;
  /** When the last of it is due, ms by the steady clock. */
  until: number;
}

/** Deliveries that wait for their time. */
class Waiting<A> {
  readonly #subscriber: Subscriber<Delivery<A>>;
  readonly #scheduler: SchedulerLike;
  readonly #queue: DueQueue<Ok<A>>;
  readonly #keys = new Map<string, WaitingKey>();
  #completed = false;

  constructor(subscriber: Subscriber<Delivery<A>>, scheduler: SchedulerLike) {
    this.#subscriber = subscriber;
    this.#scheduler = scheduler;
    this.#queue = new DueQueue(scheduler, delivery => this.#release(delivery));
  }

  get size(): number {
    return this.#queue.size;
  }

  take(delivery: Ok<A>, dueAt: number): void {
    const { key } = delivery.message;
    const before = key === null ? undefined : this.#keys.get(key);
    if (before === undefined && !(dueAt > this.#scheduler.now())) {
      this.#subscriber.next(delivery);
      return;
    }
    const at = steadyNow(this.#scheduler) + dueAt - this.#scheduler.now();
    const until = Math.max(at, before?.until ?? at);
    if (before) {
      before.count++;
      before.until = until;
    } else if (key !== null) this.#keys.set(key, { count: 1, until });
    this.#queue.add(delivery, until);
  }

  complete(): void {
    this.#completed = true;
    if (this.#queue.size === 0) this.#subscriber.complete();
  }

  stop(): void {
    this.#queue.clear();
    this.#keys.clear();
  }

  #release(delivery: Ok<A>): void {
    const { key } = delivery.message;
    const waiting = key === null ? undefined : this.#keys.get(key);
    if (waiting && key !== null && --waiting.count === 0) this.#keys.delete(key);
    // What was taken back comes again from its source.
    if (!delivery[settlement].revoked) this.#subscriber.next(delivery);
    if (this.#completed && this.#queue.size === 0) this.#subscriber.complete();
  }
}
