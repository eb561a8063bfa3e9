import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Failure } from './failure.ts';
import type { Message } from './message.ts';
import { JoinedSettlement, type Settlement } from './settlement.ts';

/** The key under which a delivery hides its duty to settle; operators use it, user code never has to. */
export const settlement: unique symbol = Symbol('settlement');

/** A message on its way through a pipeline, with its value. */
export interface Ok<A> {
  readonly ok: true;
  readonly value: A;
  readonly message: Message;
  readonly [settlement]: Settlement;
  /** The same delivery with another value; the duty to settle goes along. */
  map<B>(project: (value: A) => B): Ok<B>;
}

/** A message on its way through a pipeline, with the failure that stopped it. */
export interface Failed {
  readonly ok: false;
  readonly failure: Failure;
  readonly message: Message;
  readonly [settlement]: Settlement;
}

/** One message on its way: its value or its failure and, hidden inside, the duty to settle it. */
export type Delivery<A> = Ok<A> | Failed;

class OkDelivery<A> implements Ok<A> {
  readonly ok = true;
  readonly value: A;
  readonly message: Message;
  readonly [settlement]: Settlement;

  constructor(value: A, message: Message, duty: Settlement) {
    this.value = value;
    this.message = message;
    this[settlement] = duty;
  }

  map<B>(project: (value: A) => B): Ok<B> {
    return new OkDelivery(project(this.value), this.message, this[settlement]);
  }
}

class FailedDelivery implements Failed {
  readonly ok = false;
  readonly failure: Failure;
  readonly message: Message;
  readonly [settlement]: Settlement;

  constructor(failure: Failure, message: Message, duty: Settlement) {
    this.failure = failure;
    this.message = message;
    this[settlement] = duty;
  }
}

/** A delivery with a value; for sources and for authors of operators. */
export function ok<A>(value: A, message: Message, duty: Settlement): Ok<A> {
  return new OkDelivery(value, message, duty);
}

/** A delivery that has failed; for authors of operators. */
export function failed(failure: Failure, message: Message, duty: Settlement): Failed {
  return new FailedDelivery(failure, message, duty);
}

/** The same delivery, failed. */
export function fail(delivery: Delivery<unknown>, failure: Failure): Failed {
  return new FailedDelivery(failure, delivery.message, delivery[settlement]);
}

/** The same delivery with another value, without the closure that {@link Ok.map} needs. */
export function withValue<B>(delivery: Ok<unknown>, value: B): Ok<B> {
  return new OkDelivery(value, delivery.message, delivery[settlement]);
}

/** The delivery's failure or value as fp-ts's `Either`. */
export function toEither<A>(delivery: Delivery<A>): Either<Failure, A> {
  return delivery.ok ? right(delivery.value) : left(delivery.failure);
}

/**
 * Many deliveries as one: its value is the list of theirs, its message the last one's, and settling it
 * settles each of them. The plain-RxJS way to batch is `bufferCount(100), map(all)`.
 */
export function all<A>(batch: readonly Ok<A>[]): Ok<readonly A[]> {
  const last = batch.at(-1);
  if (last === undefined) throw new RangeError('all([]): a batch has at least one delivery');
  return new OkDelivery(
    batch.map(delivery => delivery.value),
    last.message,
    new GatheredSettlement(batch),
  );
}

/** The duties of gathered deliveries as one; it still knows their messages. */
class GatheredSettlement extends JoinedSettlement {
  readonly deliveries: readonly Delivery<unknown>[];

  constructor(deliveries: readonly Delivery<unknown>[]) {
    super(deliveries.map(delivery => delivery[settlement]));
    this.deliveries = deliveries;
  }
}

/** The deliveries that were gathered into this one, or into the one it came out of; where none were, itself alone. */
export function gatheredIn(delivery: Delivery<unknown>): readonly Delivery<unknown>[] {
  const gathered = gatheredBehind(delivery[settlement]);
  return gathered?.flatMap(gatheredIn) ?? [delivery];
}

function gatheredBehind(duty: Settlement): readonly Delivery<unknown>[] | undefined {
  if (duty instanceof GatheredSettlement) return duty.deliveries;
  const [parent, another] = duty.behind ?? [];
  return parent === undefined || another !== undefined ? undefined : gatheredBehind(parent);
}
