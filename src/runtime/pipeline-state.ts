import type { AttemptLedger } from '../core/attempt-ledger.ts';
import { MemoryKeyedState } from '../core/memory-keyed-state.ts';
import type { StateCodec, StateStore } from '../core/state.ts';
import type { CommitRecord } from './snapshot-format.ts';
import type { StateUnits } from './state-units.ts';
import type { StoredAttempts } from './stored-attempts.ts';
import type { StoredUnit } from './stored-unit.ts';
import { type KeepingOperator, type Snapshot, UnitSnapshots } from './unit-snapshots.ts';

/** State of another version than the code's. */
export class StateVersionError extends Error {
  override readonly name = 'StateVersionError';
}

/** A unit of state that is here. */
interface Unit {
  readonly stored: StoredUnit;
  readonly snapshots: UnitSnapshots;
}

/**
 * The states of one pipeline's operators: handed out to them, loaded and unloaded in units as source partitions come
 * and go, written as snapshots.
 */
export class PipelineState implements StateStore {
  readonly #pipeline: string;
  readonly #units: StateUnits;
  readonly #attempts: StoredAttempts;
  readonly #operators = new Map<string, KeepingOperator>();
  readonly #loaded = new Map<number, Unit>();
  readonly #transacted: boolean;
  #used: boolean;

  /**
   * @param always whether there is always something to store: how far markers have come, if nothing else
   * @param transacted whether it is stored by transactions
   */
  constructor(
    pipeline: string,
    units: StateUnits,
    attempts: StoredAttempts,
    always = false,
    transacted = false,
  ) {
    this.#pipeline = pipeline;
    this.#units = units;
    this.#attempts = attempts;
    this.#used = always;
    this.#transacted = transacted;
  }

  /** Whether anything was ever remembered: until then there is nothing to wait for with a commit. */
  get used(): boolean {
    this.#used ||= [...this.#operators.values()].some(({ states }) => states.size > 0);
    return this.#used;
  }

  /** The units that are here. */
  get loaded(): Iterable<number> {
    return this.#loaded.keys();
  }

  isLoaded(unit: number): boolean {
    return this.#loaded.has(unit);
  }

  /** Takes over what is stored of a unit. @throws StateVersionError where an operator's has another version */
  load(unit: number, stored: StoredUnit): void {
    const snapshots = new UnitSnapshots(this.#pipeline, unit, this.#units, stored, this.#transacted);
    const loaded = { stored, snapshots };
    this.#loaded.set(unit, loaded);
    this.#used ||= stored.commit !== undefined;
    for (const [name, operator] of this.#operators) this.#fill(name, operator, loaded);
  }

  /** Forgets a unit, which is somebody else's by now. */
  unload(unit: number): void {
    this.#loaded.delete(unit);
    for (const { states } of this.#operators.values()) {
      for (const partition of states.partitions) {
        if (this.#units.holds(unit, partition)) states.drop(partition);
      }
    }
  }

  /**
   * @throws StateVersionError where what is stored has another version
   * @throws RangeError for state over all partitions in a pipeline whose members share them
   */
  keyed<S>(
    operator: string,
    codec: StateCodec<S>,
    scope: 'partition' | 'pipeline' = 'partition',
  ): MemoryKeyedState<S> {
    if (scope === 'pipeline' && !this.#units.isWhole) {
      throw new RangeError(
        `pipeline ${this.#pipeline}: ${operator} keeps one state over all partitions, so one member must have them all: give the pipeline the option members: 'one'`,
      );
    }
    const states = new MemoryKeyedState<S>();
    const keeping: KeepingOperator = {
      codec: { ...codec, encode: state => codec.encode(state as S) },
      states,
    };
    this.#operators.set(operator, keeping);
    for (const unit of this.#loaded.values()) this.#fill(operator, keeping, unit);
    return states;
  }

  attempts(operator: string): AttemptLedger {
    return this.#attempts.of(operator);
  }

  /** Up to where, exclusive, the restored state reflects each source partition; by `topic/partition`. */
  get storedOffsets(): Readonly<Record<string, number>> {
    return this.#together(({ commit }) => commit?.offsets);
  }

  /** The last marker that each source partition had passed; by `topic/partition`. */
  get storedMarks(): NonNullable<CommitRecord['marks']> {
    return this.#together(({ commit }) => commit?.marks);
  }

  /** How many keys each operator holds; those that hold none are left out. */
  get sizes(): ReadonlyMap<string, number> {
    const used = [...this.#operators].filter(([, { states }]) => states.size > 0);
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
  capture(progress: Pick<CommitRecord, 'offsets' | 'marks'>): readonly Snapshot[] {
    return [...this.#loaded.values()].map(({ snapshots }) => snapshots.capture(this.#operators, progress));
  }

  #together<T>(
    of: (stored: StoredUnit) => Readonly<Record<string, T>> | undefined,
  ): Readonly<Record<string, T>> {
    return Object.fromEntries(
      [...this.#loaded.values()].flatMap(({ stored }) => Object.entries(of(stored) ?? {})),
    );
  }

  #fill(name: string, { codec, states }: KeepingOperator, { stored, snapshots }: Unit): void {
    const { commit, states: records } = stored;
    const storedVersion = commit?.operators[name];
    if (storedVersion !== undefined && storedVersion !== codec.version) {
      throw new StateVersionError(
        `pipeline ${this.#pipeline}: stored state of ${name} has version ${storedVersion}, this code writes ${codec.version}: run the old version, or reset the pipeline's state (cryptorun reset ${this.#pipeline} --dry-run shows what that removes)`,
      );
    }
    for (const { operator, partition, key, state, touchedAt } of records) {
      if (operator !== name) continue;
      const entry = states.create(partition, key, codec.decode(state));
      entry.touchedAt = touchedAt ?? Number.NEGATIVE_INFINITY;
      entry.dirty = !snapshots.continues;
    }
  }
}
