import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import type { Message } from '../src/core/message.ts';
import { finiteNumber } from '../src/core/option.ts';
import { emitAll } from '../src/core/outputs.ts';
import { partialStage } from '../src/core/stage.ts';
import type { KeyedState, StateEntry } from '../src/core/keyed-state.ts';
import { type StateCodec, type StateStore, allPartitions, memoryStateStore } from '../src/core/state.ts';
import type { StageOptions } from './map-values.ts';

export interface ScanByKeyOptions<A, S> extends StageOptions {
  /** Names the state in the store; must not change once state is stored. Default `scanByKey`. */
  readonly name?: string;
  /** The state of a key that has none. */
  readonly seed: (value: A, message: Message) => S;
  readonly codec: StateCodec<S>;
  /** Default: the message's key. */
  readonly key?: (value: A, message: Message) => string;
  /**
   * `partition` (default): state moves with its partition. `pipeline`: one state over all partitions, for pipelines
   * with the option `members: 'one'`.
   */
  readonly scope?: 'partition' | 'pipeline';
  /** Where the state lives; default: in memory, gone with the subscription. */
  readonly state?: StateStore;
  /**
   * Forget a key that no message has touched for this long, ms of event time; default: never. One sweep goes
   * over the partition's keys each time event time has moved on by a quarter of it.
   */
  readonly expireAfterMs?: number;
}

/**
 * A state per key, and n outputs per message. The step changes the state in place and returns the outputs, so
 * it must check before it changes: what it throws becomes a `handle` failure and the state is taken as it is.
 *
 * ```
 * in     --a1---b5---a2--|      sum per key
 * out    --a1---b5---a3--|
 * ```
 *
 * @throws OptionError when made, for an expiry that is not positive
 */
export function scanByKey<A, S, B>(
  step: (state: S, value: A, message: Message) => readonly B[],
  options: ScanByKeyOptions<A, S>,
): OperatorFunction<Delivery<A>, Delivery<B>> {
  const { name = 'scanByKey', seed, codec, key, scope = 'partition', scheduler = asyncScheduler } = options;
  const { expireAfterMs } = options;
  if (expireAfterMs !== undefined) finiteNumber(`${name}.expireAfterMs`, expireAfterMs, 1);
  return partialStage(name, subscriber => {
    const states = (options.state ?? memoryStateStore()).keyed(name, codec, scope);
    const sweep = expireAfterMs === undefined ? undefined : new Sweep(states, expireAfterMs);

    /** The state of a key unless it has expired, whether or not a sweep has come by: sweeps depend on other keys. */
    const remembered = (partition: number, stateKey: string, now: number): StateEntry<S> | undefined => {
      const entry = states.get(partition, stateKey);
      const age = now - (entry?.touchedAt ?? now);
      return Number.isFinite(age) && age >= (expireAfterMs ?? Number.POSITIVE_INFINITY) ? undefined : entry;
    };
    const apply = (delivery: Ok<A>): readonly B[] => {
      const { value, message } = delivery;
      const partition = scope === 'pipeline' ? allPartitions : message.partition;
      const stateKey = key ? key(value, message) : (message.key ?? '');
      const entry =
        remembered(partition, stateKey, message.timestamp) ??
        states.create(partition, stateKey, seed(value, message));
      const outputs = step(entry.state, value, message);
      entry.dirty = true;
      if (message.timestamp > entry.touchedAt) entry.touchedAt = message.timestamp;
      sweep?.at(partition, message.timestamp);
      return outputs;
    };

    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        let outputs: readonly B[];
        try {
          outputs = apply(delivery);
        } catch (error) {
          const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
          return subscriber.next(fail(delivery, failure));
        }
        return emitAll(subscriber, delivery, outputs);
      },
    };
  });
}

/** Forgets keys that were not touched for long, by event time. */
class Sweep {
  readonly #states: KeyedState<unknown>;
  readonly #expireAfterMs: number;
  readonly #sweptAt = new Map<number, number>();

  constructor(states: KeyedState<unknown>, expireAfterMs: number) {
    this.#states = states;
    this.#expireAfterMs = expireAfterMs;
  }

  /** Event time has reached `now` in the partition. */
  at(partition: number, now: number): void {
    const last = this.#sweptAt.get(partition) ?? now;
    if (now - last < this.#expireAfterMs / 4 && this.#sweptAt.has(partition)) return;
    this.#sweptAt.set(partition, now);
    for (const entry of this.#states.entries(partition)) {
      if (now - entry.touchedAt >= this.#expireAfterMs) this.#states.delete(partition, entry.key);
    }
  }
}
