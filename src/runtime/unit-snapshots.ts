import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '../core/message.ts';
import type { MemoryKeyedState } from '../core/memory-keyed-state.ts';
import type { StateCodec } from '../core/state.ts';
import {
  type CommitRecord,
  type SnapshotRecord,
  type StateRecord,
  changelogOf,
  commitSlot,
  stateSlot,
} from './snapshot-format.ts';
import type { StateUnits } from './state-units.ts';
import { type StoredUnit, stateName } from './stored-unit.ts';

/** An operator that remembers something. */
export interface KeepingOperator {
  readonly codec: StateCodec<unknown>;
  readonly states: MemoryKeyedState<unknown>;
}

/** A snapshot of one unit that is on its way to the changelog. */
export interface Snapshot {
  /** The source partitions that it covers, with their offsets; by `topic/partition`. */
  readonly offsets: Readonly<Record<string, number>>;
  readonly states: readonly OutgoingMessage[];
  /** Its end: to be sent when all states are stored. */
  readonly commit: OutgoingMessage;
  /** What its predecessor by another writer left: to be sent when the end is stored. */
  readonly cleaning: readonly OutgoingMessage[];
  /** It is stored: the next one may overwrite what it replaced. */
  readonly stored: () => void;
  /** A state could not be stored: what it holds is part of the next one. */
  readonly lost: () => void;
  /** The end could not be stored, as far as is known: the next one holds everything. */
  readonly uncertain: () => void;
}

const forgotten = Symbol('forgotten');

/** One change that a snapshot holds. */
interface Change {
  readonly operator: string;
  readonly partition: number;
  readonly key: string;
  readonly state: unknown;
  readonly touchedAt: number | null;
  readonly entry: { dirty: boolean } | typeof forgotten;
}

/** Ends the names of writers whose snapshots are part of transactions. */
const inTransactions = '-transactions';

/**
 * The snapshots that one process writes of one unit, from when it took the unit over. The first holds everything and
 * stands for itself: what a predecessor wrote, who may not know yet that it is one, is of no more use then. Only where
 * all are part of transactions, which such a predecessor cannot commit any more, what it wrote is gone on with.
 */
export class UnitSnapshots {
  readonly #changelog: ReturnType<typeof changelogOf>;
  readonly #unit: number;
  readonly #units: StateUnits;
  readonly #epoch: number;
  readonly #tenure: string;
  /** How often it has begun anew. */
  #nth = 0;
  #writer = '';
  #slots = new Map<string, 0 | 1>();
  /** Keys that this writer has written. */
  #written = new Set<string>();
  #leftBehind: readonly string[];
  #snapshot = 0;
  /** Whether the next snapshot holds everything. */
  #isWhole = true;
  readonly #transacted: boolean;

  /** @param transacted whether snapshots are part of transactions */
  constructor(
    pipeline: string,
    unit: number,
    units: StateUnits,
    { commit, keys }: StoredUnit,
    transacted: boolean,
  ) {
    this.#changelog = changelogOf(pipeline);
    this.#unit = unit;
    this.#units = units;
    this.#transacted = transacted;
    this.#leftBehind = keys;
    if (transacted && commit?.writer.endsWith(inTransactions) === true) {
      this.#epoch = commit.epoch;
      this.#tenure = commit.tenure;
      this.#continue(commit);
    } else {
      this.#epoch = (commit?.epoch ?? 0) + 1;
      this.#tenure = randomUUID().slice(0, 8);
      this.#begin();
    }
  }

  /** Whether what is stored need not be stored again. */
  get continues(): boolean {
    return !this.#isWhole;
  }

  #continue({ writer, nth, snapshot }: CommitRecord): void {
    this.#leftBehind = [];
    this.#writer = writer;
    this.#nth = nth;
    this.#snapshot = snapshot;
    this.#isWhole = false;
  }

  /**
   * Begins anew: the next snapshot holds everything. The epoch stays: only who takes over is newer than who did
   * before, and this one may have lost its partitions without knowing it yet.
   */
  #begin(): void {
    this.#leftBehind = [...this.#leftBehind, ...this.#written];
    this.#nth++;
    this.#writer = `${this.#epoch}-${this.#tenure}-${this.#nth}${this.#transacted ? inTransactions : ''}`;
    this.#slots = new Map();
    this.#written = new Set();
    this.#snapshot = 0;
    this.#isWhole = true;
  }

  /** @param progress offsets and marks of all partitions; those of the unit are taken */
  capture(
    operators: ReadonlyMap<string, KeepingOperator>,
    progress: Pick<CommitRecord, 'offsets' | 'marks'>,
  ): Snapshot {
    const snapshot = ++this.#snapshot;
    const writer = this.#writer;
    const taken: { readonly change: Change; readonly name: string; readonly slot: 0 | 1 }[] = [];
    const states: OutgoingMessage[] = [];
    for (const change of this.#changes(operators)) {
      const { operator, partition, key, state, touchedAt } = change;
      const name = stateName(operator, partition, key);
      // What a transaction overwrites is there until it is committed.
      const slot = this.#slots.get(name) === 0 && !this.#transacted ? 1 : 0;
      const record: StateRecord = {
        kind: 'state',
        writer,
        snapshot,
        operator,
        partition,
        key,
        touchedAt,
        state,
      };
      const isGone = this.#transacted && change.entry === forgotten;
      states.push(this.#message(stateSlot(record, slot), isGone ? null : record));
      taken.push({ change, name, slot });
    }
    this.#isWhole = false;
    const offsets = this.#ofUnit(progress.offsets);
    const leftBehind = this.#leftBehind;
    return {
      offsets,
      states,
      commit: this.#message(commitSlot(writer, snapshot), {
        kind: 'commit',
        writer,
        epoch: this.#epoch,
        tenure: this.#tenure,
        nth: this.#nth,
        snapshot,
        offsets,
        operators: Object.fromEntries([...operators].map(([name, { codec }]) => [name, codec.version])),
        ...(progress.marks && { marks: this.#ofUnit(progress.marks) }),
      }),
      cleaning: leftBehind.map(key => this.#message(key, null)),
      stored: () => {
        for (const { name, slot } of taken) this.#slots.set(name, slot);
        if (this.#leftBehind === leftBehind) this.#leftBehind = [];
      },
      lost: () => {
        for (const { change } of taken) {
          const { operator, partition, key, entry } = change;
          if (entry === forgotten) operators.get(operator)?.states.stillGone(partition, key);
          else entry.dirty = true;
        }
      },
      // It may be stored all the same, and then nothing of it may be overwritten.
      uncertain: () => this.#begin(),
    };
  }

  *#changes(operators: ReadonlyMap<string, KeepingOperator>): Iterable<Change> {
    for (const [operator, { codec, states }] of operators) {
      for (const partition of states.partitions) {
        if (!this.#units.holds(this.#unit, partition)) continue;
        for (const entry of this.#isWhole ? states.entries(partition) : states.changed(partition)) {
          entry.dirty = false;
          const touchedAt = Number.isFinite(entry.touchedAt) ? entry.touchedAt : null;
          yield { operator, partition, key: entry.key, state: codec.encode(entry.state), touchedAt, entry };
        }
        const gone = states.takeGone(partition);
        // What stands for itself needs no word of what is not in it.
        if (this.#isWhole) continue;
        for (const key of gone)
          yield { operator, partition, key, state: null, touchedAt: null, entry: forgotten };
      }
    }
  }

  /** What concerns partitions of the unit; by `topic/partition`. */
  #ofUnit<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
    return Object.fromEntries(
      Object.entries(values).filter(([name]) =>
        this.#units.holds(this.#unit, Number(name.slice(name.lastIndexOf('/') + 1))),
      ),
    );
  }

  #message(key: string, record: SnapshotRecord | null): OutgoingMessage {
    const { name, codec } = this.#changelog;
    const payload = record && codec.encode(record);
    if (record) this.#written.add(key);
    else this.#written.delete(key);
    return { topic: name, key, payload, partition: this.#unit, patient: true };
  }
}
