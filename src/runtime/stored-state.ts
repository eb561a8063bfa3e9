import { isRight } from 'fp-ts/lib/Either.js';
import { type Observable, map, reduce } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { Codec } from '../core/codec.ts';
import { type Delivery, settlement } from '../core/delivery.ts';
import type { Bytes } from '../core/message.ts';
import {
  type CommitRecord,
  type SnapshotRecord,
  type StateRecord,
  changelogOf,
  stateSlot,
} from './snapshot-format.ts';

/** The last finished snapshot of a pipeline as it is stored. */
export interface StoredState {
  readonly commit: CommitRecord | undefined;
  readonly states: readonly StateRecord[];
  /** The slot that holds each state, by operator, partition and key. */
  readonly slots: ReadonlyMap<string, 0 | 1>;
  /** What an unfinished snapshot left behind: must be written again before the next one counts. */
  readonly stale: readonly StateRecord[];
}

export const nothingStored: StoredState = { commit: undefined, states: [], slots: new Map(), stale: [] };

interface Seen {
  readonly record: StateRecord;
  readonly slot: 0 | 1;
}

interface Reading {
  commit: CommitRecord | undefined;
  readonly seen: Map<string, Seen[]>;
}

/** What identifies a state whatever its slot. */
export function stateName(operator: string, partition: number, key: string): string {
  return `${operator}/${partition}/${key}`;
}

/** Reads a pipeline's changelog to its end; emits once. */
export function readStoredState(bus: EventBus, pipeline: string): Observable<StoredState> {
  const changelog = changelogOf(pipeline);
  return bus.source(changelog.name, { untilEnd: true }).pipe(
    reduce((reading: Reading, delivery: Delivery<Bytes>) => take(reading, delivery, changelog.codec), {
      commit: undefined,
      seen: new Map(),
    }),
    map(finish),
  );
}

function take(reading: Reading, delivery: Delivery<Bytes>, codec: Codec<SnapshotRecord>): Reading {
  delivery[settlement].ack();
  const { key, payload } = delivery.message;
  if (payload === null || key === null) return reading;
  const decoded = codec.decode(payload);
  if (!isRight(decoded)) throw decoded.left;
  const record = decoded.right;
  if (record.kind === 'commit') {
    if (record.snapshot > (reading.commit?.snapshot ?? -1)) reading.commit = record;
    return reading;
  }
  const name = stateName(record.operator, record.partition, record.key);
  const slot = key === stateSlot(record.operator, record.partition, record.key, 0) ? 0 : 1;
  const others = (reading.seen.get(name) ?? []).filter(other => other.slot !== slot);
  reading.seen.set(name, [...others, { record, slot }]);
  return reading;
}

/** Of each state the newest that a finished snapshot covers. */
function finish({ commit, seen }: Reading): StoredState {
  const last = commit?.snapshot ?? -1;
  const newest = [...seen].flatMap(([name, slots]) => {
    const covered = slots
      .filter(({ record }) => record.snapshot <= last)
      .sort((a, b) => b.record.snapshot - a.record.snapshot)[0];
    return covered ? [{ name, ...covered }] : [];
  });
  return {
    commit,
    states: newest.map(({ record }) => record).filter(record => record.state !== null),
    slots: new Map(newest.map(({ name, slot }) => [name, slot])),
    stale: [...seen.values()].flat().flatMap(({ record }) => (record.snapshot > last ? [record] : [])),
  };
}
