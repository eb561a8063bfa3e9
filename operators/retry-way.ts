import type { Delivery, Ok } from '../src/core/delivery.ts';
import type { AttemptRecord } from '../src/core/attempt-ledger.ts';
import type { Failure } from '../src/core/failure.ts';

/** What a delivery has been through since it came here. */
export type Tried = Pick<AttemptRecord, 'count' | 'firstAt'>;

/** How a delivery gets to its next attempt: it waits in memory, or goes round through a topic. */
export interface RetryWay<A> {
  /** Whether nothing is on its way to a next attempt. */
  readonly idle: boolean;
  /** Deliveries held here, beside those that wait for their turn. */
  readonly waiting: number;
  /** Deliveries that wait here until it is time to try them again. */
  readonly untilDue: number;
  /** What has been tried already; undefined: nothing. */
  triedOf(delivery: Ok<A>): Tried | undefined;
  /** Whether a delivery whose turn it is may be tried; one that may not has been taken over. */
  admits(delivery: Ok<A>): boolean;
  /** Takes over a delivery that failed and is to be tried again; else returns why it has failed for good. */
  again(delivery: Ok<A>, failure: Failure): Failure | undefined;
  /** The delivery leaves, with or without a value. */
  ended(delivery: Delivery<unknown>): void;
  /** The delivery was taken back while it was tried. */
  forget(delivery: Ok<A>): void;
  stop(): void;
}
