import type { Decoder } from 'io-ts';
import { type AttemptLedger, MemoryAttemptLedger } from './attempt-ledger.ts';
import { decodeState } from './decode-state.ts';

/** How the state of one key is stored and read back. */
export interface StateCodec<S> {
  /** Changes when the stored form does; state of another version is refused. */
  readonly version: string;
  /** A JSON-safe form that shares nothing with the live state. */
  encode(state: S): unknown;
  /** @throws where the stored form is not of this codec */
  decode(json: unknown): S;
}

/**
 * State as it is, for states that are JSON-safe themselves.
 *
 * @param type what the state is, as an io-ts type, by which anything else is refused with a {@link StateRefused}, or a
 *   function that throws where the stored form is none
 *
 * @example
 * const sums = jsonState('1', t.type({ sum: t.number, count: t.number }));
 */
export function jsonState<S>(
  version: string,
  type: Decoder<unknown, S> | ((json: unknown) => S),
): StateCodec<S> {
  const decode = typeof type === 'function' ? type : (json: unknown) => decodeState(type.name, type, json);
  return { version, encode: state => structuredClone(state), decode };
}

/** The state of one key, held by the operator that owns it. */
export interface StateEntry<S> {
  readonly key: string;
  state: S;
  /** Event time of the last message that touched it, ms. */
  touchedAt: number;
  /** Changed since the last snapshot. */
  dirty: boolean;
}

/** The states of one operator, by source partition and key; they move with their partition. */
export interface KeyedState<S> {
  get(partition: number, key: string): StateEntry<S> | undefined;
  create(partition: number, key: string, state: S): StateEntry<S>;
  delete(partition: number, key: string): void;
  entries(partition: number): Iterable<StateEntry<S>>;
  /** How many keys there are. */
  readonly size: number;
}

/** Where operators keep what they remember; whoever provides it sees to snapshots and restoring. */
export interface StateStore {
  /**
   * The states of the operator of this name; one operator a name.
   *
   * @param scope `pipeline`: there is state that spans all partitions, under a partition of its own; default `partition`
   */
  keyed<S>(operator: string, codec: StateCodec<S>, scope?: 'partition' | 'pipeline'): KeyedState<S>;
  /** The attempts of the operator of this name at messages that are in flight. */
  attempts(operator: string): AttemptLedger;
}

/** The partition under which state lives that spans all partitions of its pipeline. */
export const allPartitions = -1;

/** States in memory. */
export class MemoryKeyedState<S> implements KeyedState<S> {
  readonly #partitions = new Map<number, Map<string, StateEntry<S>>>();

  get size(): number {
    let size = 0;
    for (const entries of this.#partitions.values()) size += entries.size;
    return size;
  }

  get(partition: number, key: string): StateEntry<S> | undefined {
    return this.#partitions.get(partition)?.get(key);
  }

  create(partition: number, key: string, state: S): StateEntry<S> {
    const entries = this.#partitions.get(partition) ?? new Map<string, StateEntry<S>>();
    this.#partitions.set(partition, entries);
    const entry = { key, state, touchedAt: Number.NEGATIVE_INFINITY, dirty: true };
    entries.set(key, entry);
    return entry;
  }

  delete(partition: number, key: string): void {
    this.#partitions.get(partition)?.delete(key);
  }

  entries(partition: number): Iterable<StateEntry<S>> {
    return this.#partitions.get(partition)?.values() ?? [];
  }

  /** The partitions of which anything is held. */
  get partitions(): readonly number[] {
    return [...this.#partitions.keys()];
  }

  /** Forgets a partition that has been given up. */
  drop(partition: number): void {
    this.#partitions.delete(partition);
  }
}

/** The store of operators that are used without a runtime: in memory, without snapshots. */
export function memoryStateStore(): StateStore {
  return { keyed: () => new MemoryKeyedState(), attempts: () => new MemoryAttemptLedger() };
}
