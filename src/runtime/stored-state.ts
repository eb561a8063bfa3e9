import { isRight } from 'fp-ts/lib/Either.js';
import { type Observable, concat, concatMap, map, reduce, takeWhile, throwError, timeout } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import { type Delivery, settlement } from '../core/delivery.ts';
import type { Bytes } from '../core/message.ts';
import { BusError } from '../core/publisher.ts';
import { fenceChangelog } from './changelog-fence.ts';
import { type CommitRecord, type StateRecord, changelogOf } from './snapshot-format.ts';

/** The last finished snapshot of one unit of a pipeline's state as it is stored. */
export interface StoredUnit {
  readonly commit: CommitRecord | undefined;
  readonly states: readonly StateRecord[];
  /** Every key that the changelog holds for it: of no more use once there is a newer snapshot by another writer. */
  readonly keys: readonly string[];
}

/** What identifies a state whatever its slot. */
export function stateName(operator: string, partition: number, key: string): string {
  return `${operator}/${partition}/${key}`;
}

/** No transaction of a pipeline is open for nearly as long, ms. */
const undecidedMs = 60_000;

interface Reading {
  readonly commits: Map<string, CommitRecord>;
  readonly states: Map<string, StateRecord>;
}

/** Reads one unit of a pipeline's changelog to its end; emits once. */
export function readStoredUnit(bus: EventBus, pipeline: string, unit: number): Observable<StoredUnit> {
  const { name } = changelogOf(pipeline);
  return gathered(bus.source(name, { untilEnd: true, partitions: [unit] }), pipeline);
}

/**
 * The same, where units are written by transactions: waits until those are decided that were open, since what they
 * hold counts together with what they commit elsewhere.
 *
 * @throws BusError `unavailable` where one is not decided: brokers may lose sight of it while its partition is away
 */
export function readDecidedUnit(bus: EventBus, pipeline: string, unit: number): Observable<StoredUnit> {
  const { name } = changelogOf(pipeline);
  return fenceChangelog(bus, pipeline, unit, 'state').pipe(
    concatMap(fence => {
      const upToFence$ = bus.source(name, { partitions: [unit] }).pipe(
        takeWhile(({ message: { offset } }) => offset < fence, true),
        timeout({ each: undecidedMs, with: () => throwError(() => undecided(name, unit)) }),
      );
      return gathered(upToFence$, pipeline);
    }),
  );
}

function undecided(changelog: string, unit: number): BusError {
  return new BusError(
    'unavailable',
    `${changelog}[${unit}]: it is still undecided after ${undecidedMs / 1000} s whether what was written there counts: let Kafka's kafka-transactions.sh find-hanging name the transaction that was left open, and abort it`,
  );
}

function gathered(changelog$: Observable<Delivery<Bytes>>, pipeline: string): Observable<StoredUnit> {
  const { codec } = changelogOf(pipeline);
  return changelog$.pipe(
    reduce((reading: Reading, delivery: Delivery<Bytes>) => take(reading, delivery, codec), {
      commits: new Map(),
      states: new Map(),
    }),
    map(finish),
  );
}

/** The states of every unit of a pipeline as they are stored; emits once. */
export function readStoredStates(bus: EventBus, pipeline: string): Observable<readonly StateRecord[]> {
  const units = Array.from({ length: bus.partitionsOf(changelogOf(pipeline).name) }, (_, unit) => unit);
  return concat(...units.map(unit => readStoredUnit(bus, pipeline, unit))).pipe(
    reduce((all: readonly StateRecord[], { states }) => [...all, ...states], []),
  );
}

function take(
  reading: Reading,
  delivery: Delivery<Bytes>,
  codec: ReturnType<typeof changelogOf>['codec'],
): Reading {
  delivery[settlement].ack();
  const { key, payload } = delivery.message;
  if (key === null) return reading;
  reading.commits.delete(key);
  reading.states.delete(key);
  if (payload === null) return reading;
  const decoded = codec.decode(payload);
  if (!isRight(decoded)) throw decoded.left;
  const record = decoded.right;
  if (record.kind === 'commit') reading.commits.set(key, record);
  else if (record.kind === 'state') reading.states.set(key, record);
  return reading;
}

/** Of each state the newest that the last finished snapshot covers. */
function finish({ commits, states }: Reading): StoredUnit {
  const ofTenures = Map.groupBy(commits.values(), ({ tenure }) => tenure);
  const lasts = [...ofTenures.values()].flatMap(ofOne => [...ofOne].sort(byAge).slice(-1));
  const commit = lasts.sort(byTakeover).at(-1);
  const newest = new Map<string, StateRecord>();
  for (const record of states.values()) {
    if (record.writer !== commit?.writer || record.snapshot > commit.snapshot) continue;
    const name = stateName(record.operator, record.partition, record.key);
    if (record.snapshot > (newest.get(name)?.snapshot ?? -1)) newest.set(name, record);
  }
  return {
    commit,
    states: [...newest.values()].filter(({ state }) => state !== null),
    keys: [...commits.keys(), ...states.keys()],
  };
}

/** Of what one process wrote. */
function byAge(a: CommitRecord, b: CommitRecord): number {
  return a.nth - b.nth || a.snapshot - b.snapshot;
}

/**
 * Two who took over from the same process have the same epoch, where the first of them ended before its first
 * snapshot: each of their snapshots is true, so whichever has come further counts.
 */
function byTakeover(a: CommitRecord, b: CommitRecord): number {
  return a.epoch - b.epoch || comeSoFar(a) - comeSoFar(b);
}

function comeSoFar({ offsets }: CommitRecord): number {
  return Object.values(offsets).reduce((sum, offset) => sum + offset, 0);
}
