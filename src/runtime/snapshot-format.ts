import * as t from 'io-ts';
import type { AttemptPlace, AttemptRecord } from '../core/attempt-ledger.ts';
import { jsonCodec } from '../core/codec.ts';
import { type Topic, topic } from '../core/topic.ts';

/** The state of one key at one snapshot. */
export interface StateRecord {
  readonly kind: 'state';
  /** Whose snapshot it is: of two who write for one unit, neither disturbs what the other has written. */
  readonly writer: string;
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
  /** How far those have come who write to the partition, where they are several; by number, with how many there are. */
  readonly parts?: { readonly of: number; readonly marks: Readonly<Record<string, MarkRecord>> };
}

/** The end of a snapshot: without it the snapshot does not count. */
export interface CommitRecord {
  readonly kind: 'commit';
  readonly writer: string;
  /** Rises with each process that takes over: what the last one wrote counts. */
  readonly epoch: number;
  /** Names the time from when one process took over, which may need several writers. */
  readonly tenure: string;
  /** Which of its writers it is: what the last one wrote counts. */
  readonly nth: number;
  readonly snapshot: number;
  /** Up to where, exclusive, the states reflect each source partition; by `topic/partition`. */
  readonly offsets: Readonly<Record<string, number>>;
  /** The version of each operator's codec. */
  readonly operators: Readonly<Record<string, string>>;
  /** The last marker that each source partition has passed; by `topic/partition`. */
  readonly marks?: Readonly<Record<string, MarkRecord>>;
}

/** The attempts of an operator at one message; stands for itself, in no snapshot. */
export interface AttemptsRecord extends AttemptPlace, AttemptRecord {
  readonly kind: 'attempts';
  readonly operator: string;
}

export type SnapshotRecord = StateRecord | CommitRecord | AttemptsRecord;

const MarkRecord: t.Type<MarkRecord> = t.recursion('MarkRecord', () =>
  t.intersection([
    t.type({ kind: t.keyof({ time: null, end: null, absent: null }), time: t.number }),
    t.partial({ feed: t.string, parts: t.type({ of: t.number, marks: t.record(t.string, MarkRecord) }) }),
  ]),
);

const SnapshotRecord: t.Type<SnapshotRecord> = t.union([
  t.type({
    kind: t.literal('state'),
    writer: t.string,
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
      writer: t.string,
      epoch: t.number,
      tenure: t.string,
      nth: t.number,
      snapshot: t.number,
      offsets: t.record(t.string, t.number),
      operators: t.record(t.string, t.string),
    }),
    t.partial({ marks: t.record(t.string, MarkRecord) }),
  ]),
  t.type({
    kind: t.literal('attempts'),
    operator: t.string,
    topic: t.string,
    partition: t.number,
    offset: t.number,
    count: t.number,
    firstAt: t.number,
    lastAt: t.number,
    dueAt: t.number,
  }),
]);

/**
 * Where a pipeline's snapshots are: compacted, and with a partition for each unit of state that moves by itself.
 *
 * @param units as many as the pipeline's input has partitions; 1 for one whose state is not divided
 */
export function changelogOf(pipeline: string, units = 1): Topic<SnapshotRecord> {
  return topic(`cryptorun-${pipeline}-changelog`, jsonCodec(SnapshotRecord, { name: 'SnapshotRecord' }), {
    partitions: units,
    compaction: true,
    maxMessageBytes: 16 * 1024 * 1024,
  });
}

/**
 * The key of a state's record. A key has two slots, written in turn, so that an unfinished snapshot never
 * overwrites what the last finished one wrote.
 */
export function stateSlot({ writer, operator, partition, key }: StatePlace, slot: 0 | 1): string {
  return `state/${writer}/${operator}/${partition}/${slot}/${key}`;
}

type StatePlace = Pick<StateRecord, 'writer' | 'operator' | 'partition' | 'key'>;

/** The key of a snapshot's end; two slots here too. */
export function commitSlot(writer: string, snapshot: number): string {
  return `commit/${writer}/${snapshot % 2}`;
}

/** The key of the attempts at a message. */
export function attemptsKey(operator: string, { topic, partition, offset }: AttemptPlace): string {
  return `attempts/${operator}/${topic}/${partition}/${offset}`;
}
