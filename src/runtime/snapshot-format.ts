import * as t from 'io-ts';
import { jsonCodec } from '../core/codec.ts';
import { type Topic, topic } from '../core/topic.ts';

/** The state of one key at one snapshot. */
export interface StateRecord {
  readonly kind: 'state';
  readonly snapshot: number;
  readonly operator: string;
  readonly partition: number;
  readonly key: string;
  readonly touchedAt: number | null;
  /** null: the key was forgotten. */
  readonly state: unknown;
}

/** A marker as a snapshot holds it. */
export interface MarkRecord {
  readonly kind: 'time' | 'end' | 'absent';
  /** Event time, ms. */
  readonly time: number;
  readonly feed?: string;
}

/** The end of a snapshot: without it the snapshot does not count. */
export interface CommitRecord {
  readonly kind: 'commit';
  readonly snapshot: number;
  /** Up to where, exclusive, the states reflect each source partition; by `topic/partition`. */
  readonly offsets: Readonly<Record<string, number>>;
  /** The version of each operator's codec. */
  readonly operators: Readonly<Record<string, string>>;
  /** The last marker that each source partition has passed; by `topic/partition`. */
  readonly marks?: Readonly<Record<string, MarkRecord>>;
}

export type SnapshotRecord = StateRecord | CommitRecord;

const MarkRecord: t.Type<MarkRecord> = t.intersection([
  t.type({ kind: t.keyof({ time: null, end: null, absent: null }), time: t.number }),
  t.partial({ feed: t.string }),
]);

const SnapshotRecord: t.Type<SnapshotRecord> = t.union([
  t.type({
    kind: t.literal('state'),
    snapshot: t.number,
    operator: t.string,
    partition: t.number,
    key: t.string,
    touchedAt: t.union([t.number, t.null]),
    state: t.unknown,
  }),
  t.intersection([
    t.type({
      kind: t.literal('commit'),
      snapshot: t.number,
      offsets: t.record(t.string, t.number),
      operators: t.record(t.string, t.string),
    }),
    t.partial({ marks: t.record(t.string, MarkRecord) }),
  ]),
]);

/** Where a pipeline's snapshots are: compacted, one partition. */
export function changelogOf(pipeline: string): Topic<SnapshotRecord> {
  return topic(`cryptorun-${pipeline}-changelog`, jsonCodec(SnapshotRecord, { name: 'SnapshotRecord' }), {
    compaction: true,
    maxMessageBytes: 16 * 1024 * 1024,
  });
}

/**
 * The key of a state's record. A key has two slots, written in turn, so that an unfinished snapshot never
 * overwrites what the last finished one wrote.
 */
export function stateSlot(operator: string, partition: number, key: string, slot: 0 | 1): string {
  return `state/${operator}/${partition}/${slot}/${key}`;
}

/** The key of a snapshot's end; two slots here too. */
export function commitSlot(snapshot: number): string {
  return `commit/${snapshot % 2}`;
}
