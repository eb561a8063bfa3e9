import {
  type Observable,
  concat,
  concatMap,
  endWith,
  ignoreElements,
  map,
  of,
  reduce,
  takeWhile,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import type { EventBus, SourceOptions } from '../bus/event-bus.ts';
import { settlement } from '../core/delivery.ts';
import { type Message, offset } from '../core/message.ts';
import { BusError } from '../core/publisher.ts';
import { fenceChangelog } from './changelog-fence.ts';
import { type StateRecord, changelogOf } from './snapshot-format.ts';
import type { StoredUnit } from './stored-unit.ts';
import { UnitCopy } from './unit-copy.ts';

/** No transaction of a pipeline is open for nearly as long, ms. */
const undecidedMs = 60_000;

function undecided(pipeline: string, unit: number): BusError {
  return new BusError(
    'unavailable',
    `${changelogOf(pipeline).name}[${unit}]: it is still undecided after ${undecidedMs / 1000} s whether what was written there counts: let Kafka's kafka-transactions.sh find-hanging name the transaction that was left open, and abort it`,
  );
}

/** Reads units of a pipeline's changelog into their copies, each from where it has come to; emits what was read. */
export function readOn(
  bus: EventBus,
  pipeline: string,
  copies: ReadonlyMap<number, UnitCopy>,
  options: Pick<SourceOptions, 'untilEnd'> = {},
): Observable<Message> {
  const { name } = changelogOf(pipeline);
  const offsets = [...copies].map(([unit, { position }]) => ({
    topic: name,
    partition: unit,
    offset: offset(position),
  }));
  return bus.source(name, { ...options, partitions: [...copies.keys()], from: { offsets } }).pipe(
    map(delivery => {
      delivery[settlement].ack();
      return delivery.message;
    }),
    tap(message => copies.get(message.partition)?.take(message)),
  );
}

/**
 * Reads one unit of a pipeline's changelog to its end; emits once.
 *
 * @param copy what has been read of it already
 */
export function readStoredUnit(
  bus: EventBus,
  pipeline: string,
  unit: number,
  copy: UnitCopy = new UnitCopy(pipeline),
): Observable<StoredUnit> {
  return storedAfter(readOn(bus, pipeline, new Map([[unit, copy]]), { untilEnd: true }), copy);
}

/**
 * The same, where units are written by transactions: waits until those are decided that were open, since what they
 * hold counts together with what they commit elsewhere.
 *
 * @throws BusError `unavailable` where one is not decided: brokers may lose sight of it while its partition is away
 */
export function readDecidedUnit(
  bus: EventBus,
  pipeline: string,
  unit: number,
  copy: UnitCopy = new UnitCopy(pipeline),
): Observable<StoredUnit> {
  return fenceChangelog(bus, pipeline, unit, 'state').pipe(
    concatMap(fence => {
      // Whoever kept the copy warm may have read past the fence already: then nothing more need ever come.
      if (copy.position > fence) return of(copy.stored);
      const upToFence$ = readOn(bus, pipeline, new Map([[unit, copy]])).pipe(
        takeWhile(message => message.offset < fence, true),
        timeout({ each: undecidedMs, with: () => throwError(() => undecided(pipeline, unit)) }),
      );
      return storedAfter(upToFence$, copy);
    }),
  );
}

/** The states of every unit of a pipeline as they are stored; emits once. */
export function readStoredStates(bus: EventBus, pipeline: string): Observable<readonly StateRecord[]> {
  const units = Array.from({ length: bus.partitionsOf(changelogOf(pipeline).name) }, (_, unit) => unit);
  return concat(...units.map(unit => readStoredUnit(bus, pipeline, unit))).pipe(
    reduce((all: readonly StateRecord[], { states }) => [...all, ...states], []),
  );
}

function storedAfter(read$: Observable<unknown>, copy: UnitCopy): Observable<StoredUnit> {
  return read$.pipe(
    ignoreElements(),
    endWith(undefined),
    map(() => copy.stored),
  );
}
