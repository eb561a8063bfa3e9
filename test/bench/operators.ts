import { bufferCount, concatMap, distinct, filter, from, groupBy, map, mergeMap, of, scan, tap } from 'rxjs';
import { batch } from '../../operators/batch.ts';
import { bulkhead } from '../../operators/bulkhead.ts';
import { circuitBreaker } from '../../operators/circuit-breaker.ts';
import { deadLetter } from '../../operators/dead-letter.ts';
import { decode } from '../../operators/decode.ts';
import { dedupe } from '../../operators/dedupe.ts';
import { each } from '../../operators/each.ts';
import { encode } from '../../operators/encode.ts';
import { expire } from '../../operators/expire.ts';
import { fallback } from '../../operators/fallback.ts';
import { fanOut } from '../../operators/fan-out.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { rateLimit } from '../../operators/rate-limit.ts';
import { scanByKey } from '../../operators/scan-by-key.ts';
import { tapValues } from '../../operators/tap-values.ts';
import { timeLimit } from '../../operators/time-limit.ts';
import { unbatch } from '../../operators/unbatch.ts';
import { type Delivery, all, fail } from '../../src/core/delivery.ts';
import { handleFailure } from '../../src/core/failure.ts';
import { jsonState } from '../../src/core/state.ts';
import type { Benchmark } from './benchmark.ts';
import { eventTimeBenchmarks } from './event-time-operators.ts';
import {
  type Tick,
  deliveries,
  encoded,
  epoch,
  idlePublisher,
  ours,
  through,
  ticks,
} from './operator-load.ts';
import { retryBenchmarks } from './retries.ts';
import { tickTopic } from './tick-topic.ts';

const double = ({ symbol, price, time }: Tick): Tick => ({ symbol, price: price * 2, time });
const isEven = ({ price }: Tick): boolean => price % 2 === 0;
const noCodec = jsonState<{ sum: number }>('1', () => ({ sum: 0 }));
const twice = (tick: Tick): readonly Tick[] => [tick, tick];
const bytesOf = (tick: Tick): Uint8Array => Buffer.from(JSON.stringify(tick));

const byHundred = <A>(list: readonly A[]): readonly (readonly A[])[] =>
  Array.from({ length: Math.floor(list.length / 100) }, (_, at) => list.slice(at * 100, at * 100 + 100));

let looked = 0;
const look = ({ price }: Tick): void => void (looked += price);

/** One in 64 has failed. */
const someFailed: readonly Delivery<Tick>[] = deliveries.map((delivery, at) =>
  at % 64 === 0 ? fail(delivery, handleFailure('bench', 'told to fail', 1, 0)) : delivery,
);

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'mapValues',
    subject: ours(mapValues(double), deliveries),
    twin: { name: 'map', work: through(source$ => source$.pipe(map(double)), ticks) },
  },
  {
    name: 'filterValues',
    subject: ours(filterValues(isEven), deliveries),
    twin: { name: 'filter', work: through(source$ => source$.pipe(filter(isEven)), ticks) },
  },
  {
    name: 'tapValues',
    subject: ours(tapValues(look), deliveries),
    twin: { name: 'tap', work: through(source$ => source$.pipe(tap(look)), ticks) },
  },
  {
    name: 'each',
    subject: ours(
      each(tick$ => tick$.pipe(map(double)), { concurrency: 64, order: 'key' }),
      deliveries,
    ),
    twin: {
      name: 'groupBy, concatMap a key',
      work: through(
        source$ =>
          source$.pipe(
            groupBy(({ symbol }) => symbol),
            mergeMap(tick$ => tick$.pipe(concatMap(tick => of(tick).pipe(map(double))))),
          ),
        ticks,
      ),
    },
  },
  {
    name: 'batch of 100',
    subject: ours(batch<Tick>({ count: 100 }), deliveries),
    twin: { name: 'bufferCount', work: through(source$ => source$.pipe(bufferCount(100)), ticks) },
  },
  {
    name: 'unbatch of 100',
    subject: ours(unbatch<Tick>(), byHundred(deliveries).map(all), 100),
    twin: {
      name: 'mergeMap(from)',
      work: through(source$ => source$.pipe(mergeMap(list => from(list))), byHundred(ticks), 100),
    },
  },
  {
    name: 'fanOut to 2',
    subject: ours(fanOut(twice), deliveries),
    twin: {
      name: 'mergeMap(from)',
      work: through(source$ => source$.pipe(mergeMap(tick => from(twice(tick)))), ticks),
    },
  },
  {
    name: 'scanByKey',
    subject: ours(
      scanByKey<Tick, { sum: number }, number>((state, { price }) => [(state.sum += price)], {
        seed: () => ({ sum: 0 }),
        codec: noCodec,
      }),
      deliveries,
    ),
    twin: {
      name: 'groupBy, scan',
      work: through(
        source$ =>
          source$.pipe(
            groupBy(({ symbol }) => symbol),
            mergeMap(tick$ => tick$.pipe(scan((sum, { price }) => sum + price, 0))),
          ),
        ticks,
      ),
    },
  },
  ...eventTimeBenchmarks,
  ...retryBenchmarks,
  {
    name: 'decode',
    subject: ours(decode(tickTopic), encoded),
    twin: {
      name: 'map(JSON.parse)',
      work: through(
        source$ => source$.pipe(map(bytes => JSON.parse(bytes.toString()) as Tick)),
        encoded.map(({ value }) => Buffer.from(value)),
      ),
    },
  },
  {
    name: 'encode',
    subject: ours(encode(tickTopic), deliveries),
    twin: { name: 'map(JSON.stringify)', work: through(source$ => source$.pipe(map(bytesOf)), ticks) },
  },
  {
    name: 'publishTo',
    subject: ours(publishTo(tickTopic, idlePublisher), deliveries),
    twin: {
      name: 'mergeMap(of)',
      work: through(
        source$ =>
          source$.pipe(
            mergeMap(tick => {
              const message = { topic: tickTopic.name, key: tick.symbol, payload: bytesOf(tick) };
              idlePublisher.send(message, () => undefined);
              return of(tick);
            }),
          ),
        ticks,
      ),
    },
  },
  {
    name: 'deadLetter, 1 in 64',
    subject: through(source$ => source$.pipe(deadLetter(idlePublisher)), someFailed),
    twin: {
      name: 'filter',
      work: through(source$ => source$.pipe(filter(({ time }) => time % 1280 !== 0)), ticks),
    },
  },
  {
    name: 'rateLimit, never reached',
    subject: ours(rateLimit<Tick>({ perSecond: 1_000_000, burst: 1_000_000_000 }), deliveries),
    twin: { name: 'nothing', work: through(source$ => source$, ticks) },
  },
  {
    name: 'circuitBreaker round mapValues, closed',
    subject: ours(circuitBreaker(mapValues(double)), deliveries),
    twin: { name: 'mapValues', work: ours(mapValues(double), deliveries) },
  },
  {
    name: 'dedupe by time, 1 in 2 repeated',
    subject: ours(
      dedupe<Tick>({ by: (_, { offset }) => `${epoch.ms + (offset >> 1)}`, maxEntries: 10_000 }),
      deliveries,
    ),
    twin: {
      name: 'distinct, never forgetting',
      work: through(
        source$ => source$.pipe(distinct(({ time }) => `${epoch.ms + ((time / 20) >> 1)}`)),
        ticks,
      ),
    },
  },
  {
    name: 'timeLimit around mapValues',
    subject: ours(timeLimit(mapValues(double), { limitMs: 1000 }), deliveries),
    twin: { name: 'map', work: through(source$ => source$.pipe(map(double)), ticks) },
  },
  {
    name: 'expire',
    subject: ours(expire<Tick>(Number.MAX_SAFE_INTEGER), deliveries),
    twin: {
      name: 'filter',
      work: through(
        source$ => source$.pipe(filter(({ time }) => Date.now() - time < Number.MAX_SAFE_INTEGER)),
        ticks,
      ),
    },
  },
  {
    name: 'bulkhead around mapValues, by key',
    subject: ours(bulkhead(mapValues(double), { concurrency: 8, by: ({ symbol }) => symbol }), deliveries),
    twin: {
      name: 'mergeMap(of), 8 at once',
      work: through(source$ => source$.pipe(mergeMap(tick => of(double(tick)), 8)), ticks),
    },
  },
  {
    name: 'fallback, 1 in 64',
    subject: through(source$ => source$.pipe(fallback(() => undefined)), someFailed),
    twin: { name: 'map', work: through(source$ => source$.pipe(map(tick => tick)), ticks) },
  },
];
