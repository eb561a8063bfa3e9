import { type SchedulerLike, type Subscriber, type Subscription, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, failed, ok, settlement } from '../src/core/delivery.ts';
import type { ExpiredFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { finiteNumber } from '../src/core/option.ts';
import { type Section, aroundSection } from '../src/core/section.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { WatchedSettlement, visitWatched } from '../src/core/watched-settlement.ts';
import type { StageOptions } from './map-values.ts';
import { steadyNow } from '../src/core/steady-clock.ts';

export interface TimeLimitOptions extends StageOptions {
  /** How long a delivery may be in the section, ms, from 1. */
  readonly limitMs: number;
}

/**
 * Gives a section of the chain so much time for each delivery. One that is neither through by then nor settled
 * fails with `expired`, which is retryable. The section goes on with it, for nothing: its duty looks taken
 * back there, its signal aborts, and what still comes of it is dropped.
 *
 * ```
 * in       --a-----b---------|      limitMs 5, the section takes 2 for a, 8 for b
 * out      ----a--------F----|      F: expired; what b comes to at last is dropped
 * ```
 *
 * A delivery of which several outputs come is through with the first of them. A delivery whose source took
 * it back does not fail: it comes again; nor does one that is on its way to a retry topic. What failed before the section passes round it.
 * What waits in the section waits within the limit, so the limit belongs inside of a `bulkhead`, not around it.
 *
 * @example
 * prices.pipe(timeLimit(each(price$ => price$.pipe(mergeMap(enrich))), { limitMs: 500 }))
 *
 * @throws OptionError when made, for a limit out of range
 */
export function timeLimit<A, B>(
  section: Section<A, B>,
  { limitMs, name = 'timeLimit', scheduler = asyncScheduler }: TimeLimitOptions,
): Section<A, B> {
  finiteNumber(`${name}.limitMs`, limitMs, 1);
  return aroundSection(name, section, (subscriber, entrance) => {
    const limit = new Limit(subscriber, { name, limitMs, scheduler });
    return {
      next: delivery => {
        if (delivery.ok) entrance.next(limit.enter(delivery));
        else subscriber.next(delivery);
      },
      left: delivery => limit.left(delivery),
      ended: () => limit.complete(),
      teardown: () => limit.stop(),
    };
  });
}

/** The duty of a delivery in the section. */
class TimedDuty extends WatchedSettlement {
  readonly message: Message;
  /** When its time is over, ms by the steady clock. */
  readonly dueAt: number;
  readonly limit: { through(duty: TimedDuty): void };

  constructor(parent: Settlement, message: Message, dueAt: number, limit: TimedDuty['limit']) {
    super(parent);
    this.message = message;
    this.dueAt = dueAt;
    this.limit = limit;
  }

  /** It may come back, so it must not fail here too. */
  override departs(): void {
    this.limit.through(this);
  }

  protected settling(): void {
    this.limit.through(this);
  }
}

/** Who is in the section of one subscription: in the order of their coming their times end; one timer for all. */
class Limit<B> {
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #options: { readonly name: string; readonly limitMs: number; readonly scheduler: SchedulerLike };
  readonly #inside = new Set<TimedDuty>();
  readonly #visit = (duty: WatchedSettlement): void => {
    if (duty instanceof TimedDuty) this.#inside.delete(duty);
  };
  #timer: Subscription | undefined;
  #completed = false;

  constructor(
    subscriber: Subscriber<Delivery<B>>,
    options: { readonly name: string; readonly limitMs: number; readonly scheduler: SchedulerLike },
  ) {
    this.#subscriber = subscriber;
    this.#options = options;
  }

  /** The delivery as the section gets it. */
  enter<A>({ value, message, [settlement]: parent }: Ok<A>): Ok<A> {
    const { limitMs, scheduler } = this.#options;
    const duty = new TimedDuty(parent, message, steadyNow(scheduler) + limitMs, this);
    this.#inside.add(duty);
    this.#timer ??= scheduler.schedule(() => this.#expire(), limitMs);
    return ok(value, message, duty);
  }

  left(delivery: Delivery<B>): void {
    const duty = delivery[settlement];
    // Its failure has left instead, or its source has taken it back.
    if (duty.revoked) return;
    visitWatched(duty, this.#visit);
    this.#subscriber.next(delivery);
  }

  /** The section has settled it, or sends it round. */
  through(duty: TimedDuty): void {
    this.#inside.delete(duty);
    this.#completeWhenEmpty();
  }

  /** Nothing comes out of the section any more; what it never let go of still fails in its time. */
  complete(): void {
    this.#completed = true;
    this.#completeWhenEmpty();
  }

  stop(): void {
    this.#timer?.unsubscribe();
    this.#inside.clear();
  }

  #expire(): void {
    const { scheduler } = this.#options;
    const now = steadyNow(scheduler);
    this.#timer = undefined;
    for (const duty of this.#inside) {
      if (duty.dueAt > now) {
        this.#timer ??= scheduler.schedule(() => this.#expire(), Math.ceil(duty.dueAt - now));
        return;
      }
      this.#inside.delete(duty);
      if (!duty.revoked)
        this.#subscriber.next(failed(this.#failure(duty, scheduler.now()), duty.message, duty.takeOver()));
    }
    this.#completeWhenEmpty();
  }

  #failure({ attempt }: TimedDuty, now: number): ExpiredFailure {
    const { name, limitMs } = this.#options;
    return {
      tag: 'expired',
      stage: name,
      reason: `not through within ${limitMs} ms`,
      attempts: attempt,
      firstAt: now,
      lastAt: now,
      retryable: true,
      limitMs,
    };
  }

  #completeWhenEmpty(): void {
    if (this.#completed && this.#inside.size === 0) this.#subscriber.complete();
  }
}
