import * as t from 'io-ts';
import type { Message } from '../src/core/message.ts';
import type { Counter } from '../src/core/meter.ts';
import { Queue } from '../src/core/queue.ts';
import type { KeyedState, StateEntry } from '../src/core/keyed-state.ts';
import type { StateCodec } from '../src/core/state.ts';

/** The first message of an identity: where it is, and as the how manieth of its partition it was remembered. */
interface First {
  readonly topic: string;
  readonly offset: number;
  readonly ordinal: number;
}

const Stored = t.tuple([t.string, t.number, t.number]);

/** How the first messages are stored. */
export const firstCodec: StateCodec<First> = {
  version: 'first-1',
  encode: ({ topic, offset, ordinal }) => [topic, offset, ordinal],
  decode: json => {
    if (!Stored.is(json)) throw new TypeError('not a first message: topic, offset and ordinal expected');
    const [topic, offset, ordinal] = json;
    return { topic, offset, ordinal };
  },
};

export interface MemoryBounds {
  /** How long an identity is remembered, ms of event time. */
  readonly withinMs: number;
  /** Identities per partition; past it the oldest is forgotten. */
  readonly maxEntries: number;
}

/** The identities of one partition in the order in which they were remembered; some may be forgotten already. */
interface Order {
  queue: Queue<StateEntry<First>>;
  size: number;
  ordinal: number;
}

/**
 * Which identities have been seen, by partition. What it answers, and what it forgets, depends on nothing but the
 * messages before and their event times: the same after a restart from a snapshot, and in a replay.
 */
export class IdentityMemory {
  readonly #states: KeyedState<First>;
  readonly #bounds: MemoryBounds;
  readonly #forgotten: Counter;
  readonly #orders = new Map<number, Order>();

  /** @param forgotten counts what had to be forgotten before its time */
  constructor(states: KeyedState<First>, bounds: MemoryBounds, forgotten: Counter) {
    this.#states = states;
    this.#bounds = bounds;
    this.#forgotten = forgotten;
  }

  /** Whether another message of this identity came before, not too long ago; if not, this one is the first. */
  isRepetition(identity: string, message: Message): boolean {
    const { topic, partition, offset, timestamp } = message;
    const known = this.#states.get(partition, identity);
    if (known?.state.offset === offset && known.state.topic === topic) return false;
    if (known !== undefined && timestamp - known.touchedAt < this.#bounds.withinMs) return true;
    const order = this.#orderOf(partition);
    if (known === undefined) order.size++;
    const entry = this.#states.create(partition, identity, { topic, offset, ordinal: order.ordinal++ });
    entry.touchedAt = timestamp;
    order.queue.push(entry);
    this.#forget(partition, order, timestamp);
    return false;
  }

  /** After a restart, the order is what the states say: a store gives them back in any. */
  #orderOf(partition: number): Order {
    const existing = this.#orders.get(partition);
    if (existing) return existing;
    const entries = [...this.#states.entries(partition)].sort((a, b) => a.state.ordinal - b.state.ordinal);
    const queue = new Queue<StateEntry<First>>();
    for (const entry of entries) queue.push(entry);
    const order = { queue, size: entries.length, ordinal: (entries.at(-1)?.state.ordinal ?? -1) + 1 };
    this.#orders.set(partition, order);
    return order;
  }

  /** Forgets the oldest while their time is over or there are too many: a few at most, each time. */
  #forget(partition: number, order: Order, now: number): void {
    const { withinMs, maxEntries } = this.#bounds;
    for (let oldest = order.queue.peek(); oldest !== undefined; oldest = order.queue.peek()) {
      const isOver = now - oldest.touchedAt >= withinMs;
      const isKnown = this.#states.get(partition, oldest.key) === oldest;
      if (isKnown && !isOver && order.size <= maxEntries) break;
      order.queue.shift();
      if (!isKnown) continue;
      this.#states.delete(partition, oldest.key);
      order.size--;
      if (!isOver) this.#forgotten.add();
    }
    // One far ahead of its time may hold up many that were remembered anew since.
    if (order.queue.size > 2 * order.size + 64) this.#orders.delete(partition);
  }
}
