import { type OperatorFunction, Subject, VirtualAction, VirtualTimeScheduler, map } from 'rxjs';
import { each } from '../../operators/each.ts';
import type { AttemptContext } from '../../operators/attempt.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { type Delivery, ok, settlement, withValue } from '../../src/core/delivery.ts';
import { type Settlement, idleSettlement } from '../../src/core/settlement.ts';
import { memoryStateStore } from '../../src/core/state.ts';
import { messageOf } from '../../src/testing/index.ts';
import { asyncRetryBenchmarks } from './async-retries.ts';
import type { Benchmark, Work } from './benchmark.ts';
import { type Tick, deliveries, idlePublisher, isOneInHundred, ours } from './operator-load.ts';
import { repeat, stopwatch } from './stopwatch.ts';

const double = ({ symbol, price, time }: Tick): Tick => ({ symbol, price: price * 2, time });

/** The same without a second attempt. */
const keyed = each<Tick, Tick>(tick$ => tick$.pipe(map(double)));

/** One in a hundred fails once. */
const doubleAtLast = (tick: Tick, { attempt }: AttemptContext): Tick => {
  if (attempt === 1 && isOneInHundred(tick)) throw new Error('told to fail');
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

/** A duty as sources have it: one that is waited on has a signal of its own. */
class OwnDuty implements Settlement {
  readonly attempt = 1;
  readonly revoked = false;
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  ack(): void {
    // Nobody counts.
  }

  drop(): void {
    // Nobody counts.
  }

  nack(): void {
    // Nobody counts.
  }
}

/** Bytes of each message that waits, and how many may. */
const [payloadBytes, mostWaiting] = [200, 65_536];

/** A million messages fail, each of a key of its own, and wait in memory: as many as may, and no more. */
const bounded: Work = ({ smoke }) => {
  const count = smoke ? 2 * mostWaiting : 1_000_000;
  const source$ = new Subject<Delivery<number>>();
  const scheduler = new VirtualTimeScheduler(VirtualAction);
  let overflown = 0;
  const subscription = source$
    .pipe(
      retryWithBackoff<number, number>(
        () => {
          throw neverDone;
        },
        { scheduler, maxWaiting: mostWaiting },
      ),
    )
    .subscribe(delivery => {
      if (!delivery.ok && delivery.failure.tag === 'overflow') overflown++;
    });
  const lap = stopwatch();
  for (let at = 0; at < count; at++) {
    const payload = Buffer.alloc(payloadBytes);
    source$.next(ok(at, messageOf({ topic: 'orders', key: `k${at}`, offset: at, payload }), new OwnDuty()));
  }
  const measured = lap(count);
  subscription.unsubscribe();
  const waiting = count - overflown;
  if (waiting !== mostWaiting) throw new Error(`${waiting} wait, ${mostWaiting} may`);
  return { ...measured, note: `${count} messages of ${payloadBytes} bytes, ${waiting} of them wait` };
};

/**
 * What trying again costs, beside handlers that run keyed and once: at most 15 % while nothing fails, and as much
 * again when one in a hundred does.
 */
export const retryBenchmarks: readonly Benchmark[] = [
  {
    name: 'retryWithBackoff, nothing fails',
    goal: { ofTwin: 0.87 },
    subject: ours(retryWithBackoff(double), deliveries),
    twin: { name: 'each, keyed', work: ours(keyed, deliveries) },
  },
  { name: 'retryWithBackoff, a million in a topic', goal: { rss: 512 }, subject: parked },
  { name: 'retryWithBackoff, a million in memory', goal: { rss: 384 }, subject: bounded },
  {
    name: 'retryWithBackoff, 1 in 100 fails',
    goal: { ofTwin: 0.5 },
    subject: inTime(scheduler => retryWithBackoff(doubleAtLast, { scheduler })),
    twin: { name: 'each, keyed, nothing fails', work: inTime(() => keyed) },
    others: [{ name: 'nothing fails', work: inTime(scheduler => retryWithBackoff(double, { scheduler })) }],
  },
  ...asyncRetryBenchmarks,
];
