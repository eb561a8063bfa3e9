/**
 * What must not compile, checked by `tsc -p .`: each expected error that no longer comes is an error itself.
 */
import { type Observable, type OperatorFunction, of } from 'rxjs';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import type { StateStore } from '../../src/core/state.ts';

declare const publisher: NamedPublisher;
declare const state: StateStore;

type Lengths = OperatorFunction<Delivery<string>, Delivery<number>>;

/** A result, a way to one, or now the one and now the other: its type is the output's. */
export const plain: Lengths = retryWithBackoff((text: string) => text.length);
export const promised: Lengths = retryWithBackoff((text: string) => Promise.resolve(text.length));
export const observed: Lengths = retryWithBackoff((text: string) => of(text.length));
export const mixed: Lengths = retryWithBackoff(
  (text: string): number | Promise<number> | Observable<number> =>
    text === '' ? 0 : Promise.resolve(text.length),
);

/** Where messages wait. */
export const inOrder: Lengths = retryWithBackoff((text: string) => text.length, {
  through: { publisher, state, maxParkedPerKey: 10 },
});
export const asTheyCome: Lengths = retryWithBackoff((text: string) => text.length, {
  order: 'none',
  through: { publisher },
});

export const counted: Lengths = retryWithBackoff((text: string) => text.length, { order: 'none', state });
export const twoStates: Lengths = retryWithBackoff((text: string) => text.length, {
  state,
  // @ts-expect-error what goes round carries its attempts in headers
  through: { publisher, state },
});

export const noState: Lengths = retryWithBackoff((text: string) => text.length, {
  order: 'key',
  // @ts-expect-error the order of keys is remembered in state
  through: { publisher },
});
export const idleState: Lengths = retryWithBackoff((text: string) => text.length, {
  order: 'none',
  // @ts-expect-error without order there is nothing to remember
  through: { publisher, state },
});
export const idleBound: Lengths = retryWithBackoff((text: string) => text.length, {
  order: 'none',
  // @ts-expect-error without order nothing is parked behind others
  through: { publisher, maxParkedPerKey: 10 },
});
