import {
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  asyncScheduler,
} from 'rxjs';
import { type Delivery, type Ok, all, settlement } from '../src/core/delivery.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { finiteNumber, wholeNumber } from '../src/core/option.ts';
import { stage } from '../src/core/stage.ts';

/** When a batch is full; whichever comes first. */
export interface BatchLimits {
  /** Values at most. Keep it below the source's `maxInFlight`, or name `timeMs`: else the batch never fills. */
  readonly count: number;
  /** Payload bytes of the messages at most; a single larger message is a batch of its own. Default: no bound. */
  readonly bytes?: number;
  /** How long the first value waits at most, ms; default: until the batch is full. */
  readonly timeMs?: number;
}

export interface BatchOptions {
  /** Default `batch`. */
  readonly name?: string;
  /** The timer of `timeMs`; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Gauges `stream_buffered`. */
  readonly meter?: Meter;
}

/**
 * Gathers values into lists. Settling a list settles each of its members; its message is the last member's. A
 * completed source flushes what is left.
 *
 * ```
 * in   --1--2--3--F-----4---|       count 2, timeMs 5
 * out  -----A-----F--B------(C|)    A: [1, 2], B: [3] after 5 ms, C: [4]
 * ```
 *
 * Values keep their order. A failure waits for nobody: it passes at once, before values that came earlier and
 * still wait. Unsubscribing, or an error of the source, forgets what waits: those deliveries stay unsettled, and
 * their source takes them back.
 *
 * @throws OptionError when made, for a limit out of range
 */
export function batch<A>(
  { count, bytes = Number.POSITIVE_INFINITY, timeMs }: BatchLimits,
  { name = 'batch', scheduler = asyncScheduler, meter = idleMeter }: BatchOptions = {},
): OperatorFunction<Delivery<A>, Delivery<readonly A[]>> {
  wholeNumber(`${name}.count`, count, 1);
  if (bytes !== Number.POSITIVE_INFINITY) wholeNumber(`${name}.bytes`, bytes, 1);
  if (timeMs !== undefined) finiteNumber(`${name}.timeMs`, timeMs, 0);
  const startTimer =
    timeMs === undefined ? undefined : (flush: () => void) => scheduler.schedule(flush, timeMs);
  // With a bound of time it lets go however few have come.
  const gathers = timeMs === undefined ? count : 1;
  return stage(
    name,
    subscriber => {
      const gathering = new Gathering<A>(subscriber, { count, bytes }, startTimer);
      const forget = meter.gauge('stream_buffered', () => gathering.size, { stage: name });
      return {
        next: (delivery: Delivery<A>) => {
          if (delivery.ok) gathering.add(delivery);
          else subscriber.next(delivery);
        },
        complete: () => {
          gathering.flush();
          subscriber.complete();
        },
        teardown: () => {
          forget();
          gathering.clear();
        },
      };
    },
    { gathers },
  );
}

/** The batch that is being gathered. */
class Gathering<A> {
  readonly #subscriber: Subscriber<Delivery<readonly A[]>>;
  readonly #limits: { readonly count: number; readonly bytes: number };
  readonly #startTimer: ((flush: () => void) => Subscription) | undefined;
  #members: Ok<A>[] = [];
  #bytes = 0;
  #timer: Subscription | undefined;

  constructor(
    subscriber: Subscriber<Delivery<readonly A[]>>,
    limits: { readonly count: number; readonly bytes: number },
    startTimer: ((flush: () => void) => Subscription) | undefined,
  ) {
    this.#subscriber = subscriber;
    this.#limits = limits;
    this.#startTimer = startTimer;
  }

  get size(): number {
    return this.#members.length;
  }

  add(delivery: Ok<A>): void {
    const size = delivery.message.payload?.length ?? 0;
    if (this.#bytes + size > this.#limits.bytes) this.flush();
    this.#members.push(delivery);
    this.#bytes += size;
    if (this.#members.length >= this.#limits.count || this.#bytes >= this.#limits.bytes) this.flush();
    else if (this.#members.length === 1) this.#timer = this.#startTimer?.(() => this.flush());
  }

  /** Passes on what there is, if anything; what comes while that happens is the next batch. */
  flush(): void {
    // Who was taken back meanwhile comes again from its source.
    const members = this.#members.filter(member => !member[settlement].revoked);
    this.clear();
    if (members.length > 0) this.#subscriber.next(all(members));
  }

  clear(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#members = [];
    this.#bytes = 0;
  }
}
