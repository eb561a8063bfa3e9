import { ExponentialBackoff, handleAll, retry as policyOf } from 'cockatiel';
import {
  type Observable,
  type OperatorFunction,
  Subject,
  concatMap,
  defer,
  groupBy,
  map,
  mergeMap,
  retry,
  timer,
} from 'rxjs';
import { each } from '../../operators/each.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { type Delivery, type Ok, settlement, withValue } from '../../src/core/delivery.ts';
import type { Benchmark, Twin, Work } from './benchmark.ts';
import { type Tick, deliveries, isOneInHundred } from './operator-load.ts';
import { repeatAsync } from './stopwatch.ts';

/*
 * Trying again where handlers take turns of the event loop, beside others who can do that: keyed, so many at once.
 * Waits are of 1 ms here, so that it is the work that is measured and not the waiting.
 */
const concurrency = 64;
const retries = 3;

type Handle = (tick: Tick) => Promise<Tick>;

const double: Handle = ({ symbol, price, time }) => Promise.resolve({ symbol, price: price * 2, time });

/** One in a hundred fails once: made anew for each run. */
function failingOnce(): Handle {
  const failed = new WeakSet<Tick>();
  return tick => {
    if (!isOneInHundred(tick) || failed.delete(tick)) return double(tick);
    failed.add(tick);
    return Promise.reject(new Error('told to fail'));
  };
}

/** Runs deliveries through a chain, pass after pass, each until its last has come out. */
function settling(chain: (source$: Observable<Ok<Tick>>) => Observable<Delivery<Tick>>): Work {
  return async ({ smoke }) => {
    const source$ = new Subject<Ok<Tick>>();
    let left = 0;
    let done = (): void => undefined;
    const subscription = chain(source$).subscribe(delivery => {
      if (!delivery.ok) throw new Error(delivery.failure.reason);
      delivery[settlement].ack();
      if (--left === 0) done();
    });
    const pass = (): Promise<void> =>
      new Promise(resolve => {
        [left, done] = [deliveries.length, resolve];
        for (const delivery of deliveries) source$.next(withValue(delivery, delivery.value));
      });
    const measured = await repeatAsync(pass, deliveries.length, smoke);
    subscription.unsubscribe();
    return measured;
  };
}

/** Keyed by groups, as RxJS has it: one of a key at a time. */
function byGroups(handle: (delivery: Ok<Tick>) => Observable<Ok<Tick>>): Work {
  return settling(source$ =>
    source$.pipe(
      groupBy(({ message }) => message.key),
      mergeMap(group$ => group$.pipe(concatMap(handle))),
    ),
  );
}

const ours = (handle: Handle): OperatorFunction<Ok<Tick>, Delivery<Tick>> =>
  retryWithBackoff<Tick, Tick>(tick => handle(tick), {
    retries,
    concurrency,
    firstDelayMs: 1,
    jitter: 'none',
  });

const besides = (make: () => Handle): readonly Twin[] => [
  {
    name: 'RxJS retry({ count, delay }), keyed',
    work: effort => {
      const handle = make();
      const delay = (_: unknown, count: number): Observable<unknown> => timer(2 ** (count - 1));
      return byGroups(delivery =>
        defer(() => handle(delivery.value)).pipe(
          retry({ count: retries, delay }),
          map(value => withValue(delivery, value)),
        ),
      )(effort);
    },
  },
  {
    name: 'cockatiel retry, keyed',
    work: effort => {
      const handle = make();
      const backoff = new ExponentialBackoff({ initialDelay: 1, maxDelay: 10_000 });
      const policy = policyOf(handleAll, { maxAttempts: retries, backoff });
      return byGroups(delivery =>
        defer(() => policy.execute(() => handle(delivery.value))).pipe(
          map(value => withValue(delivery, value)),
        ),
      )(effort);
    },
  },
];

const nothingFails: Work = effort => settling(source$ => source$.pipe(ours(double)))(effort);

const keyed: Work = effort =>
  settling(source$ =>
    source$.pipe(each<Tick, Tick>(tick$ => tick$.pipe(mergeMap(double)), { concurrency, order: 'key' })),
  )(effort);

export const asyncRetryBenchmarks: readonly Benchmark[] = [
  {
    name: 'retryWithBackoff, async, nothing fails',
    goal: { ofTwin: 0.87 },
    subject: nothingFails,
    twin: { name: 'each, keyed', work: keyed },
    others: besides(() => double),
  },
  {
    name: 'retryWithBackoff, async, 1 in 100 fails',
    goal: { ofTwin: 0.5 },
    subject: effort => settling(source$ => source$.pipe(ours(failingOnce())))(effort),
    twin: { name: 'each, keyed, nothing fails', work: keyed },
    others: [{ name: 'nothing fails', work: nothingFails }, ...besides(failingOnce)],
  },
];
