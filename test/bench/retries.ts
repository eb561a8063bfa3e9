import { type OperatorFunction, Subject, VirtualAction, VirtualTimeScheduler, map } from 'rxjs';
import { each } from '../../operators/each.ts';
import type { AttemptContext } from '../../operators/attempt.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { type Delivery, ok, settlement, withValue } from '../../src/core/delivery.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { memoryStateStore } from '../../src/core/state.ts';
import { messageOf } from '../../src/testing/index.ts';
import type { Benchmark, Work } from './benchmark.ts';
import { type Tick, deliveries, idlePublisher, ours } from './operator-load.ts';
import { repeat, stopwatch } from './stopwatch.ts';

const double = ({ symbol, price, time }: Tick): Tick => ({ symbol, price: price * 2, time });

/** One in a hundred fails once. */
const doubleAtLast = (tick: Tick, { attempt }: AttemptContext): Tick => {
  if (attempt === 1 && (tick.time / 20) % 100 === 7) throw new Error('told to fail');
  return double(tick);
};

/** So many messages come in one ms of virtual time. */
const perMs = 16;

/** Runs deliveries through an operator that waits, in virtual time; every pass waits for its last. */
function inTime(
  make: (scheduler: VirtualTimeScheduler) => OperatorFunction<Delivery<Tick>, Delivery<Tick>>,
): Work {
  return ({ smoke }) => {
    const scheduler = new VirtualTimeScheduler(VirtualAction);
    const source$ = new Subject<Delivery<Tick>>();
    let seen = 0;
    const subscription = source$.pipe(make(scheduler)).subscribe(delivery => {
      if (!delivery.ok) throw new Error(delivery.failure.reason);
      delivery[settlement].ack();
      seen++;
    });
    let expected = 0;
    const pass = (): void => {
      expected += deliveries.length;
      deliveries.forEach((delivery, at) => {
        // A delivery comes once: one that comes again is another.
        source$.next(withValue(delivery, delivery.value));
        if (at % perMs !== 0) return;
        scheduler.maxFrames = scheduler.frame + 1;
        scheduler.schedule(() => undefined, 1);
        scheduler.flush();
      });
      scheduler.maxFrames = Number.POSITIVE_INFINITY;
      scheduler.flush();
      if (seen !== expected) throw new Error(`${expected - seen} have not come out`);
    };
    const measured = repeat(pass, deliveries.length, smoke);
    subscription.unsubscribe();
    return measured;
  };
}

const neverDone = new Error('told to fail');

/** So many messages of a thousand keys go round at once: what is remembered of them stays in memory. */
const parked: Work = ({ smoke }) => {
  const count = smoke ? 20_000 : 1_000_000;
  const source$ = new Subject<Delivery<number>>();
  const through = { publisher: idlePublisher, state: memoryStateStore(), maxParkedPerKey: 1000 };
  let failed = 0;
  const subscription = source$
    .pipe(
      retryWithBackoff<number, number>(
        () => {
          throw neverDone;
        },
        { through },
      ),
    )
    .subscribe(() => failed++);
  const lap = stopwatch();
  for (let at = 0; at < count; at++) {
    const key = `SYM${at % 1000}-USD`;
    source$.next(ok(at, messageOf({ topic: 'orders', key, offset: at }), idleSettlement));
  }
  const measured = lap(count);
  subscription.unsubscribe();
  if (failed > 0) throw new Error(`${failed} failed for good`);
  return { ...measured, note: `${count} messages of 1000 keys` };
};

/** What trying again costs: next to nothing while nothing fails, little when one in a hundred does. */
export const retryBenchmarks: readonly Benchmark[] = [
  {
    name: 'retryWithBackoff, nothing fails',
    subject: ours(retryWithBackoff(double), deliveries),
    twin: {
      name: 'each, keyed',
      work: ours(
        each<Tick, Tick>(tick$ => tick$.pipe(map(double))),
        deliveries,
      ),
    },
  },
  { name: 'retryWithBackoff, a million in a topic', subject: parked },
  {
    name: 'retryWithBackoff, 1 in 100 fails',
    subject: inTime(scheduler => retryWithBackoff(doubleAtLast, { scheduler })),
    twin: {
      name: 'nothing fails',
      work: inTime(scheduler => retryWithBackoff(double, { scheduler })),
    },
  },
];
