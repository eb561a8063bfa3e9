import { type Observable, type OperatorFunction, Subject } from 'rxjs';
import { type Delivery, type Ok, ok } from '../../src/core/delivery.ts';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import { messageId, offset, partition } from '../../src/core/message.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { messageOf } from '../../src/testing/index.ts';
import type { Work } from './benchmark.ts';
import { repeat } from './stopwatch.ts';

export interface Tick {
  readonly symbol: string;
  readonly price: number;
  /** Event time, ms after the beginning of the pass. */
  readonly time: number;
}

const count = 16_384;
const keys = 500;
/** Event time of one pass, ms: ten seconds a key and tick. */
export const passMs = count * 20;

/** Where the pass in hand begins: passes are the same messages at later times. */
export const epoch = { ms: 0 };

export const ticks: readonly Tick[] = Array.from({ length: count }, (_, at) => ({
  symbol: `SYM${at % keys}-USD`,
  price: 100 + (at % 97),
  time: at * 20,
}));

/** Of a hundred in a row one, and of each key as many. */
export function isOneInHundred({ time }: Tick): boolean {
  const at = time / 20;
  return (at + 3 * Math.floor(at / keys)) % 100 === 7;
}

/** Made beforehand: what is measured is the operator, not the source. */
export const deliveries: readonly Ok<Tick>[] = ticks.map((tick, at) => deliver(tick, tick, at));

/** The same as bytes. */
export const encoded: readonly Ok<Uint8Array>[] = ticks.map((tick, at) =>
  deliver(Buffer.from(JSON.stringify(tick)), tick, at),
);

function deliver<A>(value: A, { symbol, time }: Tick, at: number): Ok<A> {
  const message = {
    ...messageOf({ key: symbol, timestamp: time, payload: new Uint8Array(60) }),
    id: messageId(at.toString(16).padStart(32, '0')),
    partition: partition((at % keys) % 12),
    offset: offset(at),
  };
  return ok(value, message, idleSettlement);
}

/** A broker that has everything at once. */
export const idlePublisher: NamedPublisher = {
  pipeline: 'bench',
  partitionsOf: () => 1,
  send: (_message, done) => done(undefined, undefined),
};

/** Runs messages through a chain, pass after pass; an input may stand for several. */
export function through<A>(
  chain: (source$: Observable<A>) => Observable<unknown>,
  input: readonly A[],
  each = 1,
): Work {
  return ({ smoke }) => {
    const source$ = new Subject<A>();
    let seen = 0;
    let failure: Error | undefined;
    const subscription = chain(source$).subscribe({
      next: () => {
        seen++;
      },
      error: (cause: unknown) => {
        failure = new Error('the chain broke', { cause });
      },
    });
    epoch.ms = 0;
    const pass = (): void => {
      epoch.ms += passMs;
      for (const message of input) source$.next(message);
    };
    const measured = repeat(pass, input.length * each, smoke);
    subscription.unsubscribe();
    if (failure) throw failure;
    if (seen === 0) throw new Error('nothing came out');
    return measured;
  };
}

/** Our operator over deliveries; what it makes `Failed` is a fault of the benchmark. */
export function ours<A, B>(
  operator: OperatorFunction<Delivery<A>, Delivery<B>>,
  input: readonly Ok<A>[],
  each = 1,
): Work {
  return through<Delivery<A>>(source$ => source$.pipe(operator), input, each);
}
