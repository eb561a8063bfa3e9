import { MemoryKeyedState, type StateCodec, type StateStore } from '../core/state.ts';
import type { OutgoingMessage } from '../core/message.ts';
import {
  type CommitRecord,
  type SnapshotRecord,
  changelogOf,
  commitSlot,
  stateSlot,
} from './snapshot-format.ts';
import { type StoredState, nothingStored, stateName } from './stored-state.ts';

/** State of another version than the code's, or of an operator that no longer exists. */
export class StateVersionError extends Error {
  override readonly name = 'StateVersionError';
}

interface Operator {
  readonly codec: StateCodec<unknown>;
  readonly states: MemoryKeyedState<unknown>;
}

const forgotten = Symbol('forgotten');

/** One change that a snapshot holds. */
interface Taken {
  readonly operator: string;
  readonly entry: { dirty: boolean } | typeof forgotten;
  readonly name: string;
  readonly slot: 0 | 1;
}

/** What has become of one key since the last snapshot. */
interface Change {
  readonly partition: number;
  readonly key: string;
  readonly state: unknown;
  readonly touchedAt: number | null;
  readonly entry: Taken['entry'];
}

/** A snapshot that is on its way to the changelog. */
export interface Snapshot {
  readonly states: readonly OutgoingMessage[];
  /** Its end: to be sent when all states are stored. */
  readonly commit: OutgoingMessage;
  /** It is stored: the next one may overwrite what it replaced. */
  readonly stored: () => void;
  /** It could not be stored: what it holds is part of the next one. */
  readonly lost: () => void;
}

function isUsed({ states }: Operator): boolean {
  return states.size > 0;
}

/** The states of one pipeline's operators: handed out to them, written as snapshots, restored at start. */
export class PipelineState implements StateStore {
  readonly #pipeline: string;
  readonly #operators = new Map<string, Operator>();
  #stored: StoredState = nothingStored;
  #slots = new Map<string, 0 | 1>();
  #known = new Map<string, Set<string>>();
  #snapshot = 0;
  #used = false;

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  /** Whether any operator has ever remembered anything: until then there is nothing to wait for with a commit. */
  get used(): boolean {
    this.#used ||= this.#stored.commit !== undefined || [...this.#operators.values()].some(isUsed);
    return this.#used;
  }

  /** Takes what is stored as the state that operators begin with. */
  restore(stored: StoredState): void {
    this.#stored = stored;
    this.#slots = new Map(stored.slots);
    this.#snapshot = stored.commit?.snapshot ?? 0;
    this.#known = new Map();
  }

  /** @throws StateVersionError where what is stored has another version */
  keyed<S>(operator: string, codec: StateCodec<S>): MemoryKeyedState<S> {
    const storedVersion = this.#stored.commit?.operators[operator];
    if (storedVersion !== undefined && storedVersion !== codec.version) {
      throw new StateVersionError(
        `pipeline ${this.#pipeline}: stored state of ${operator} has version ${storedVersion}, this code writes ${codec.version}: run the old version, or reset the pipeline's state (cryptorun reset ${this.#pipeline} --dry-run shows what that removes)`,
      );
    }
    const states = new MemoryKeyedState<S>();
    const ownStale = this.#stored.stale.filter(record => record.operator === operator);
    const stale = new Set(ownStale.map(({ partition, key }) => stateName(operator, partition, key)));
    for (const { partition, key, state, touchedAt } of this.#stored.states.filter(
      r => r.operator === operator,
    )) {
      const entry = states.create(partition, key, codec.decode(state));
      entry.touchedAt = touchedAt ?? Number.NEGATIVE_INFINITY;
      entry.dirty = stale.has(stateName(operator, partition, key));
      this.#knownOf(operator).add(stateName(operator, partition, key));
    }
    for (const name of stale) this.#knownOf(operator).add(name);
    this.#operators.set(operator, {
      codec: { ...codec, encode: state => codec.encode(state as S) },
      states,
    });
    return states;
  }

  /** Up to where, exclusive, the restored state reflects each source partition; by `topic/partition`. */
  get storedOffsets(): Readonly<Record<string, number>> {
    return this.#stored.commit?.offsets ?? {};
  }

  /** The last marker that each source partition had passed; by `topic/partition`. */
  get storedMarks(): NonNullable<CommitRecord['marks']> {
    return this.#stored.commit?.marks ?? {};
  }

  /** How many keys each operator holds; those that hold none are left out. */
  get sizes(): ReadonlyMap<string, number> {
    const used = [...this.#operators].filter(([, operator]) => isUsed(operator));
    return new Map(used.map(([name, { states }]) => [name, states.size]));
  }

  /** The live states of an operator, to look at. */
  live(operator: string): readonly { readonly key: string; readonly state: unknown }[] {
    const states = this.#operators.get(operator)?.states;
    if (states === undefined) return [];
    return states.partitions.flatMap(partition =>
      [...states.entries(partition)].map(({ key, state }) => ({ key, state })),
    );
  }

  /** Every state as it is now, in its stored form. */
  *read(): Iterable<{ operator: string; partition: number; key: string; state: unknown }> {
    for (const [operator, { codec, states }] of this.#operators) {
      for (const partition of states.partitions) {
        for (const { key, state } of states.entries(partition)) {
          yield { operator, partition, key, state: codec.encode(state) };
        }
      }
    }
  }

  /** Writes down what has changed since the last snapshot; to be called while nothing is in flight. */
  capture({ offsets, marks }: Pick<CommitRecord, 'offsets' | 'marks'>): Snapshot {
    const snapshot = ++this.#snapshot;
    const taken: Taken[] = [];
    const written: OutgoingMessage[] = [];
    for (const [operator, held] of this.#operators) {
      for (const change of this.#changesOf(operator, held)) {
        const { partition, key, state, touchedAt } = change;
        const name = stateName(operator, partition, key);
        const slot = this.#slots.get(name) === 0 ? 1 : 0;
        written.push(
          this.#message(stateSlot(operator, partition, key, slot), {
            kind: 'state',
            snapshot,
            operator,
            partition,
            key,
            touchedAt,
            state,
          }),
        );
        taken.push({ operator, entry: change.entry, name, slot });
      }
    }
    const operators = Object.fromEntries(
      [...this.#operators].map(([name, { codec }]) => [name, codec.version]),
    );
    return {
      states: written,
      commit: this.#message(commitSlot(snapshot), {
        kind: 'commit',
        snapshot,
        offsets,
        operators,
        ...(marks && { marks }),
      }),
      stored: () => {
        for (const { name, slot } of taken) this.#slots.set(name, slot);
      },
      lost: () => {
        for (const { operator, entry, name } of taken) {
          if (entry === forgotten) this.#knownOf(operator).add(name);
          else entry.dirty = true;
        }
      },
    };
  }

  *#changesOf(operator: string, { codec, states }: Operator): Iterable<Change> {
    const known = this.#knownOf(operator);
    const alive = new Set<string>();
    for (const partition of states.partitions) {
      for (const entry of states.entries(partition)) {
        const name = stateName(operator, partition, entry.key);
        alive.add(name);
        if (!entry.dirty) continue;
        entry.dirty = false;
        const touchedAt = Number.isFinite(entry.touchedAt) ? entry.touchedAt : null;
        yield { partition, key: entry.key, state: codec.encode(entry.state), touchedAt, entry };
      }
    }
    for (const name of known) {
      if (alive.has(name)) continue;
      const [, partition, ...key] = name.split('/');
      yield {
        partition: Number(partition),
        key: key.join('/'),
        state: null,
        touchedAt: null,
        entry: forgotten,
      };
    }
    this.#known.set(operator, alive);
  }

  #knownOf(operator: string): Set<string> {
    const known = this.#known.get(operator) ?? new Set();
    this.#known.set(operator, known);
    return known;
  }

  #message(key: string, record: SnapshotRecord): OutgoingMessage {
    const { name, codec } = changelogOf(this.#pipeline);
    return { topic: name, key, payload: codec.encode(record), partition: 0, patient: true };
  }
}
