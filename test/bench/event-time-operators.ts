import { type Observable, Subject, filter, groupBy, map, mergeMap, scan, withLatestFrom } from 'rxjs';
import { joinAsOf } from '../../operators/join-as-of.ts';
import { tumblingWindow } from '../../operators/tumbling-window.ts';
import { type Delivery, ok } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { jsonState } from '../../src/core/state.ts';
import { tableOf } from '../../src/core/table.ts';
import { messageOf } from '../../src/testing/index.ts';
import type { Benchmark, Work } from './benchmark.ts';
import { type Tick, deliveries, epoch, ours, passMs, through, ticks } from './operator-load.ts';
import { repeat } from './stopwatch.ts';

const sizeMs = 60_000;
const now = ({ time }: Tick): number => epoch.ms + time;

const windowed = tumblingWindow<Tick, { sum: number }, number>(
  {
    open: ({ price }) => ({ sum: price }),
    add: (window, { price }) => void (window.sum += price),
    close: ({ sum }) => sum,
  },
  { sizeMs, time: now, codec: jsonState('1', () => ({ sum: 0 })) },
);

interface HandWindow {
  readonly end: number;
  readonly sum: number;
  readonly closed: number | undefined;
}

const none: HandWindow = { end: 0, sum: 0, closed: undefined };

function addByHand({ end, sum }: HandWindow, tick: Tick): HandWindow {
  const own = Math.ceil(now(tick) / sizeMs) * sizeMs;
  return own === end
    ? { end, sum: sum + tick.price, closed: undefined }
    : { end: own, sum: tick.price, closed: end === 0 ? undefined : sum };
}

const byHand = (source$: Observable<Tick>): Observable<number | undefined> =>
  source$.pipe(
    groupBy(({ symbol }) => symbol),
    mergeMap(tick$ =>
      tick$.pipe(
        scan(addByHand, none),
        filter(({ closed }) => closed !== undefined),
        map(({ closed }) => closed),
      ),
    ),
  );

const rowEvery = 64;
const sum = (tick: Tick, row: number | undefined): number => tick.price + (row ?? 0);

/** A row of the table, and a marker that says it is complete up to there, before each 64 ticks. */
function joined<A, R>(
  operator: (table$: Observable<R>) => (source$: Observable<A>) => Observable<unknown>,
  input: readonly A[],
  rowsOf: (time: number) => readonly R[],
): Work {
  return ({ smoke }) => {
    const table$ = new Subject<R>();
    const source$ = new Subject<A>();
    let seen = 0;
    const subscription = operator(table$)(source$).subscribe(() => {
      seen++;
    });
    epoch.ms = 0;
    const pass = (): void => {
      epoch.ms += passMs;
      for (let at = 0; at < input.length; at++) {
        if (at % rowEvery === 0) for (const row of rowsOf(epoch.ms + at * 20)) table$.next(row);
        source$.next(input[at]!);
      }
    };
    const measured = repeat(pass, input.length, smoke);
    subscription.unsubscribe();
    if (seen < measured.messages) throw new Error(`${seen} of ${measured.messages} came out`);
    return measured;
  };
}

const tableRows = (time: number): readonly Delivery<number | Marker>[] => {
  const message = messageOf({ key: 'all', timestamp: time });
  return [
    ok(time, message, idleSettlement),
    ok(new Marker('time', time + rowEvery * 20), message, idleSettlement),
  ];
};

export const eventTimeBenchmarks: readonly Benchmark[] = [
  {
    name: 'tumblingWindow',
    subject: ours(windowed, deliveries),
    twin: { name: 'groupBy, scan, filter', work: through(byHand, ticks) },
  },
  {
    name: 'joinAsOf',
    subject: joined<Delivery<Tick>, Delivery<number | Marker>>(
      table$ =>
        joinAsOf<Tick, number, number>(tableOf(table$), (tick, { row }) => sum(tick, row), {
          scope: 'broadcast',
          time: now,
          key: () => 'all',
        }),
      deliveries,
      tableRows,
    ),
    twin: {
      name: 'withLatestFrom',
      work: joined<Tick, number>(
        table$ => source$ =>
          source$.pipe(
            withLatestFrom(table$),
            map(([tick, row]) => sum(tick, row)),
          ),
        ticks,
        time => [time],
      ),
    },
  },
];
