import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import type { Message } from '../src/core/message.ts';
import { type Origin, historyOf } from '../src/core/message-history.ts';
import type { KeyedState, StateEntry } from '../src/core/keyed-state.ts';
import type { StateCodec, StateStore } from '../src/core/state.ts';

/** The messages of one key that go round, in the order in which they first came. */
interface PendingKey {
  /** By origin, in how many rounds each was seen here: a sending that is stored twice is no further round. */
  readonly pending: Map<string, number>;
  /** When the first of them comes back, ms. */
  dueAt: number;
  /** How often others came by since the first should have been back. */
  passedBy: number;
}

/** Where a message stands among those of its key: nobody waits; it is the first; others go before it. */
export type Place = 'free' | 'first' | 'behind' | 'full';

/**
 * How many times each of the others comes round before the first counts as lost: all of a key take the same way in
 * one order, so one that is overtaken so often is no longer there (its time in the topic was over).
 */
const lostAfterRounds = 3;

/** The order of the messages of each key and source partition that go round through the retry topic. */
export class PendingOrder {
  readonly #states: KeyedState<PendingKey>;
  readonly #maxPending: number;

  constructor(state: StateStore, name: string, maxPending: number) {
    this.#states = state.keyed(name, pendingCodec);
    this.#maxPending = maxPending;
  }

  /** Where a message stands that has just come. What stands behind others is remembered from now on. */
  placeOf(message: Message): Place {
    const entry = this.#entryOf(message);
    if (entry === undefined) return 'free';
    const { origin: from, rounds } = historyOf(message);
    const origin = textOf(from);
    const { pending } = entry.state;
    const seen = pending.get(origin);
    if (seen === undefined) return this.#append(entry, origin, rounds);
    if (this.#isFirst(entry, origin)) return 'first';
    if (rounds > seen) this.#passBy(entry, origin, rounds);
    return this.#isFirst(entry, origin) ? 'first' : 'behind';
  }

  /** A message that stood behind nobody goes round and comes back at a time. */
  sendRound(message: Message, dueAt: number): void {
    const { partition, key } = message;
    if (key === null) return;
    const fresh = (): PendingKey => ({ pending: new Map(), dueAt, passedBy: 0 });
    const entry = this.#entryOf(message) ?? this.#states.create(partition, key, fresh());
    const { state } = entry;
    const { origin, rounds } = historyOf(message);
    state.pending.set(textOf(origin), rounds);
    state.dueAt = dueAt;
    state.passedBy = 0;
    touch(entry, message);
  }

  /** When the first of the message's key comes back, ms. */
  dueAtOf(message: Message): number {
    return this.#entryOf(message)?.state.dueAt ?? 0;
  }

  /** A message no longer goes round. */
  end(message: Message): void {
    const entry = this.#entryOf(message);
    if (entry?.state.pending.delete(textOf(historyOf(message).origin)) !== true) return;
    entry.state.passedBy = 0;
    touch(entry, message);
    if (entry.state.pending.size === 0) this.#states.delete(message.partition, entry.key);
  }

  #entryOf({ partition, key }: Message): StateEntry<PendingKey> | undefined {
    return key === null ? undefined : this.#states.get(partition, key);
  }

  #append(entry: StateEntry<PendingKey>, origin: string, rounds: number): Place {
    if (entry.state.pending.size >= this.#maxPending) return 'full';
    entry.state.pending.set(origin, rounds);
    entry.dirty = true;
    return 'behind';
  }

  #isFirst({ state }: StateEntry<PendingKey>, origin: string): boolean {
    return state.pending.keys().next().value === origin;
  }

  /** A message that stood behind others is back, and the first is not. */
  #passBy(entry: StateEntry<PendingKey>, origin: string, rounds: number): void {
    const { state } = entry;
    const [first] = state.pending.keys();
    state.pending.set(origin, rounds);
    state.passedBy++;
    // The others come back behind it: whatever a clock says, its time has come.
    state.dueAt = 0;
    entry.dirty = true;
    if (first === undefined || state.passedBy < lostAfterRounds * state.pending.size) return;
    state.pending.delete(first);
    state.passedBy = 0;
  }
}

function touch(entry: StateEntry<PendingKey>, { timestamp }: Message): void {
  entry.dirty = true;
  entry.touchedAt = Math.max(entry.touchedAt, timestamp);
}

function textOf({ topic, partition, offset }: Origin): string {
  return `${topic}/${partition}/${offset}`;
}

const Stored = t.type({
  pending: t.array(t.tuple([t.string, t.number])),
  dueAt: t.number,
  passedBy: t.number,
});

const pendingCodec: StateCodec<PendingKey> = {
  version: 'pending-2',
  encode: ({ pending, dueAt, passedBy }) => ({ pending: [...pending], dueAt, passedBy }),
  decode: json => {
    const decoded = Stored.decode(json);
    if (!isRight(decoded)) throw new TypeError(PathReporter.report(decoded).join('; '));
    const { pending, dueAt, passedBy } = decoded.right;
    return { pending: new Map(pending), dueAt, passedBy };
  },
};
