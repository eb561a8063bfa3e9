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
