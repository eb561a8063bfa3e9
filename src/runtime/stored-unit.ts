import type { CommitRecord, SnapshotRecord, StateRecord } from './snapshot-format.ts';

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

/** Of each state the newest that the last finished snapshot covers; attempts are no part of it. */
export function storedUnitOf(
  records: readonly { readonly key: string; readonly record: SnapshotRecord }[],
): StoredUnit {
  const commits = records.flatMap(({ record }) => (record.kind === 'commit' ? [record] : []));
  const states = records.flatMap(({ record }) => (record.kind === 'state' ? [record] : []));
  const ofTenures = Map.groupBy(commits, ({ tenure }) => tenure);
  const lasts = [...ofTenures.values()].flatMap(ofOne => [...ofOne].sort(byAge).slice(-1));
  const commit = lasts.sort(byTakeover).at(-1);
  const newest = new Map<string, StateRecord>();
  for (const record of states) {
    if (record.writer !== commit?.writer || record.snapshot > commit.snapshot) continue;
    const name = stateName(record.operator, record.partition, record.key);
    if (record.snapshot > (newest.get(name)?.snapshot ?? -1)) newest.set(name, record);
  }
  return {
    commit,
    states: [...newest.values()].filter(({ state }) => state !== null),
    keys: records.flatMap(({ key, record }) => (record.kind === 'attempts' ? [] : [key])),
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
