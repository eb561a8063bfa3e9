import type { KeyedState, StateEntry } from './keyed-state.ts';

/** What has changed of one partition since it was written down last. */
interface Changes<S> {
  readonly changed: Set<StateEntry<S>>;
  /** Keys that were forgotten, and may be written somewhere. */
  readonly gone: Set<string>;
}

/** Keeps itself among what has changed. */
class MemoryEntry<S> implements StateEntry<S> {
  readonly key: string;
  state: S;
  touchedAt: number = Number.NEGATIVE_INFINITY;
  /** Whether its key has ever been written down, as far as is known. */
  isWritten: boolean;
  /** Undefined once it is forgotten. */
  #changed: Set<StateEntry<S>> | undefined;
  #dirty = false;

  constructor(key: string, state: S, changed: Set<StateEntry<S>>, isWritten: boolean) {
    this.key = key;
    this.state = state;
    this.#changed = changed;
    this.isWritten = isWritten;
    this.dirty = true;
  }

  get dirty(): boolean {
    return this.#dirty;
  }

  set dirty(dirty: boolean) {
    if (!dirty) this.isWritten = true;
    if (dirty === this.#dirty) return;
    this.#dirty = dirty;
    if (dirty) this.#changed?.add(this);
    else this.#changed?.delete(this);
  }

  forget(): void {
    this.#changed?.delete(this);
    this.#changed = undefined;
  }
}

class MemoryPartition<S> implements Changes<S> {
  readonly entries = new Map<string, MemoryEntry<S>>();
  readonly changed: Set<StateEntry<S>> = new Set();
  readonly gone: Set<string> = new Set();

  create(key: string, state: S): MemoryEntry<S> {
    const wasWritten = this.entries.get(key)?.isWritten === true || this.gone.has(key);
    this.delete(key);
    this.gone.delete(key);
    const entry = new MemoryEntry(key, state, this.changed, wasWritten);
    this.entries.set(key, entry);
    return entry;
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    entry.forget();
    this.entries.delete(key);
    if (entry.isWritten) this.gone.add(key);
  }
}

/** States in memory, which know what of them has changed since it was written down: no more than that need be looked at. */
export class MemoryKeyedState<S> implements KeyedState<S> {
  readonly #partitions = new Map<number, MemoryPartition<S>>();

  get size(): number {
    let size = 0;
    for (const { entries } of this.#partitions.values()) size += entries.size;
    return size;
  }

  get(partition: number, key: string): StateEntry<S> | undefined {
    return this.#partitions.get(partition)?.entries.get(key);
  }

  create(partition: number, key: string, state: S): StateEntry<S> {
    const held = this.#partitions.get(partition) ?? new MemoryPartition<S>();
    this.#partitions.set(partition, held);
    return held.create(key, state);
  }

  delete(partition: number, key: string): void {
    this.#partitions.get(partition)?.delete(key);
  }

  entries(partition: number): Iterable<StateEntry<S>> {
    return this.#partitions.get(partition)?.entries.values() ?? [];
  }

  /** Entries that are dirty. */
  changed(partition: number): Iterable<StateEntry<S>> {
    return this.#partitions.get(partition)?.changed ?? [];
  }

  /** Keys that were written down, and have been forgotten since this was asked last. */
  takeGone(partition: number): Iterable<string> {
    const held = this.#partitions.get(partition);
    const gone = [...(held?.gone ?? [])];
    held?.gone.clear();
    return gone;
  }

  /** That a key is forgotten could not be written down: it is told again, unless there is one by now. */
  stillGone(partition: number, key: string): void {
    const held = this.#partitions.get(partition);
    if (held?.entries.has(key) === false) held.gone.add(key);
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
