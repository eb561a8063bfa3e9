import type { Decoder } from 'io-ts';
import { type AttemptLedger, MemoryAttemptLedger } from './attempt-ledger.ts';
import { decodeState } from './decode-state.ts';
import type { KeyedState } from './keyed-state.ts';
import { MemoryKeyedState } from './memory-keyed-state.ts';

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

/** The store of operators that are used without a runtime: in memory, without snapshots. */
export function memoryStateStore(): StateStore {
  return { keyed: () => new MemoryKeyedState(), attempts: () => new MemoryAttemptLedger() };
}
