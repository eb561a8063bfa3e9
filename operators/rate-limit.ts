import {
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  asyncScheduler,
} from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import { type OverflowFailure, handleFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { finiteNumber, wholeNumber } from '../src/core/option.ts';
import { Queue } from '../src/core/queue.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';
import { steadyNow } from '../src/core/steady-clock.ts';

/** How much may pass. */
export interface RateLimits<A> {
  /** Values per second in the long run, from 0.001 to 1,000,000. */
  readonly perSecond: number;
  /** Values that may pass at once after a rest; default 1. */
  readonly burst?: number;
  /** A bucket of its own for each of these; default: one bucket for all. */
  readonly key?: (value: A, message: Message) => string;
  /** Values that may wait, over all keys; past it they fail with `overflow`. Default 1024. */
  readonly maxWaiting?: number;
}

export interface RateLimitOptions extends StageOptions {
  /** Gauges `stream_buffered`, and as `stream_rate_keys` the keys that have a bucket. */
  readonly meter?: Meter;
}

/**
 * Lets values pass at a rate, by a token bucket: `burst` tokens at most, `perSecond` of them coming back each
 * second, overall or per key. Who finds no token waits, in order; who finds no room to wait fails with `overflow`.
 *
 * ```
 * in   --abcd------------|       perSecond 250 (one in 4 ms), burst 2, maxWaiting 1
 * out  --ab-Fc-----------|       F: d, there was no room to wait
 * ```
 *
 * Values of one key keep their order. Failures, also those made here, take no token and wait for nobody. A
 * completed source ends the stream once nobody waits any more; unsubscribing forgets who waits.
 *
 * @throws OptionError when made, for a limit out of range
 */
export function rateLimit<A>(
  { perSecond, burst = 1, key = () => '', maxWaiting = 1024 }: RateLimits<A>,
  { name = 'rateLimit', scheduler = asyncScheduler, meter = idleMeter }: RateLimitOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  finiteNumber(`${name}.perSecond`, perSecond, 0.001, 1_000_000);
  wholeNumber(`${name}.burst`, burst, 1);
  wholeNumber(`${name}.maxWaiting`, maxWaiting, 0);
  const pace = { intervalMs: 1000 / perSecond, burst };
  return stage(name, subscriber => {
    const gate = new Gate<A>(subscriber, pace, scheduler);
    subscriber.add(meter.gauge('stream_buffered', () => gate.waiting, { stage: name }));
    subscriber.add(meter.gauge('stream_rate_keys', () => gate.keys, { stage: name }));
    const overflow = (delivery: Ok<A>): OverflowFailure => {
      const reason = `${gate.waiting} values wait already: send less, or raise perSecond or maxWaiting`;
      const base = handleFailure(name, reason, delivery[settlement].attempt, scheduler.now());
      return { ...base, tag: 'overflow', limit: maxWaiting };
    };
    const keyOf = (delivery: Ok<A>): string | Delivery<A> => {
      try {
        return key(delivery.value, delivery.message);
      } catch (error) {
        return fail(delivery, handleFailure(name, error, delivery[settlement].attempt, scheduler.now()));
      }
    };
    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        const bucket = keyOf(delivery);
        if (typeof bucket !== 'string') return subscriber.next(bucket);
        if (gate.pass(bucket, delivery)) return undefined;
        if (gate.waiting >= maxWaiting) return subscriber.next(fail(delivery, overflow(delivery)));
        return gate.wait(bucket, delivery);
      },
      complete: () => gate.complete(),
      teardown: () => gate.close(),
    };
  });
}

interface Pace {
  /** How long a token takes to come back. */
  readonly intervalMs: number;
  readonly burst: number;
}

/** A key's bucket, and who waits at it. */
interface Bucket<A> {
  /** When the bucket is full again; each passing value puts it off by one interval. */
  fullAt: number;
  readonly queue: Queue<Ok<A>>;
}

/** Idle buckets are looked for this often at most, when a new key comes: a timer would outlive the last value. */
const sweepMs = 1000;
/** Timers fire on whole milliseconds and late; by so much at most, that does not slow down who waits. */
const timerLatenessMs = 10;
/** Sums of intervals such as 1000 / 3 are off by less than this. */
const roundingMs = 1e-6;

/** The buckets of one subscription: one timer for all that wait, none while nobody does. */
class Gate<A> {
  readonly #subscriber: Subscriber<Delivery<A>>;
  readonly #pace: Pace;
  readonly #scheduler: SchedulerLike;
  readonly #buckets = new Map<string, Bucket<A>>();
  readonly #queued = new Set<Bucket<A>>();
  #timer: Subscription | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #sweepAt = Number.NEGATIVE_INFINITY;
  #completed = false;
  waiting = 0;

  constructor(subscriber: Subscriber<Delivery<A>>, pace: Pace, scheduler: SchedulerLike) {
    this.#subscriber = subscriber;
    this.#pace = pace;
    this.#scheduler = scheduler;
  }

  get keys(): number {
    return this.#buckets.size;
  }

  /** Passes the delivery on if its key has a token and nobody waits before it. */
  pass(key: string, delivery: Ok<A>): boolean {
    const bucket = this.#bucket(key);
    if (bucket.queue.size > 0 || !this.#take(bucket)) return false;
    this.#subscriber.next(delivery);
    return true;
  }

  wait(key: string, delivery: Ok<A>): void {
    const bucket = this.#bucket(key);
    bucket.queue.push(delivery);
    this.waiting++;
    this.#queued.add(bucket);
    this.#wakeAt(this.#dueAt(bucket));
  }

  complete(): void {
    this.#completed = true;
    if (this.waiting === 0) this.#subscriber.complete();
  }

  close(): void {
    this.#timer?.unsubscribe();
    this.#buckets.clear();
    this.#queued.clear();
    this.waiting = 0;
  }

  #bucket(key: string): Bucket<A> {
    const existing = this.#buckets.get(key);
    if (existing) return existing;
    this.#forgetIdle();
    const created: Bucket<A> = { fullAt: Number.NEGATIVE_INFINITY, queue: new Queue() };
    this.#buckets.set(key, created);
    return created;
  }

  /** When the bucket has a token, ms. */
  #dueAt({ fullAt }: Bucket<A>): number {
    return fullAt - (this.#pace.burst - 1) * this.#pace.intervalMs;
  }

  /** Takes a token if there is one; `lateMs` of the time before now may still count for it. */
  #take(bucket: Bucket<A>, lateMs = 0): boolean {
    const now = steadyNow(this.#scheduler);
    if (this.#dueAt(bucket) > now + roundingMs) return false;
    bucket.fullAt = Math.max(bucket.fullAt, now - lateMs) + this.#pace.intervalMs;
    return true;
  }

  #wakeAt(time: number): void {
    if (time >= this.#timerAt) return;
    this.#timer?.unsubscribe();
    this.#timerAt = time;
    const delayMs = Math.max(0, Math.ceil(time - steadyNow(this.#scheduler) - roundingMs));
    this.#timer = this.#scheduler.schedule(() => this.#release(), delayMs);
  }

  /** Passes on everybody whose token has come, then sleeps until the next one does. */
  #release(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const bucket of this.#queued) {
      this.#drain(bucket);
      if (bucket.queue.size === 0) this.#queued.delete(bucket);
      else next = Math.min(next, this.#dueAt(bucket));
    }
    if (this.waiting > 0) this.#wakeAt(next);
    else if (this.#completed) this.#subscriber.complete();
  }

  #drain(bucket: Bucket<A>): void {
    for (let first = bucket.queue.peek(); first !== undefined; first = bucket.queue.peek()) {
      // Who was taken back comes again from its source, and costs no token here.
      const { revoked } = first[settlement];
      if (this.#subscriber.closed || (!revoked && !this.#take(bucket, timerLatenessMs))) return;
      bucket.queue.shift();
      this.waiting--;
      if (!revoked) this.#subscriber.next(first);
    }
  }

  /** A bucket that is full again is as good as none. */
  #forgetIdle(): void {
    const now = steadyNow(this.#scheduler);
    if (now < this.#sweepAt) return;
    const { burst, intervalMs } = this.#pace;
    this.#sweepAt = now + Math.max(sweepMs, burst * intervalMs);
    for (const [key, { fullAt, queue }] of this.#buckets) {
      if (fullAt <= now && queue.size === 0) this.#buckets.delete(key);
    }
  }
}
