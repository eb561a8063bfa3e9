import type { Marker } from '../src/core/marker.ts';

/** A value and since when it holds, ms of event time. */
export interface Row<T> {
  readonly time: number;
  readonly value: T;
}

/** Rows by key in order of event time, and the watermark up to which the table is complete. */
export class AsOfTable<T> {
  readonly #rows = new Map<string, Row<T>[]>();
  readonly #watermarks: number[];
  /** Set where the feed does not carry the table at all. */
  absent: Marker | undefined;
  watermark: number = Number.NEGATIVE_INFINITY;
  #prunedTo = Number.NEGATIVE_INFINITY;
  /** Keys of which rows were forgotten. */
  readonly #forgotten = new Set<string>();
  #size = 0;

  /** @param partitions how many partitions must have passed a time before the table is complete up to it */
  constructor(partitions: number) {
    this.#watermarks = new Array<number>(partitions).fill(Number.NEGATIVE_INFINITY);
  }

  /** How many rows there are. */
  get size(): number {
    return this.#size;
  }

  /** Whether rows were ever forgotten. */
  get hasForgotten(): boolean {
    return this.#forgotten.size > 0;
  }

  mark(partition: number, marker: Marker): void {
    this.#watermarks[partition % this.#watermarks.length] = marker.watermark;
    this.watermark = Math.min(...this.#watermarks);
    this.absent = marker.kind === 'absent' ? marker : undefined;
  }

  /** Adds a row; of several with the same key and time the first holds, as a later one is a repetition. */
  add(key: string, row: Row<T>): void {
    const rows = this.#rows.get(key) ?? [];
    this.#rows.set(key, rows);
    const at = placeOf(rows, row.time);
    if (rows[at - 1]?.time === row.time) return;
    rows.splice(at, 0, row);
    this.#size++;
  }

  /** The newest row of the key at or before the time. */
  find(key: string, time: number): Row<T> | undefined {
    const rows = this.#rows.get(key);
    return rows?.[placeOf(rows, time) - 1];
  }

  /** Whether the row that a key had at a time may have been forgotten. */
  isForgotten(key: string, time: number): boolean {
    const first = this.#rows.get(key)?.[0];
    return this.#forgotten.has(key) && (first === undefined || time < first.time);
  }

  /**
   * Forgets rows that nobody at or after the time can ask for.
   *
   * @param full whether room is needed now: else every row is looked at once a minute of event time at most
   */
  prune(time: number, full: boolean): void {
    if (!full && time < this.#prunedTo + 60_000) return;
    this.#prunedTo = Math.max(this.#prunedTo, time);
    for (const [key, rows] of this.#rows) {
      const newest = placeOf(rows, time) - 1;
      if (newest <= 0) continue;
      rows.splice(0, newest);
      this.#forgotten.add(key);
      this.#size -= newest;
    }
  }
}

/** How many rows are at or before the time. */
function placeOf(rows: readonly Row<unknown>[], time: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.time ?? Number.POSITIVE_INFINITY) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
