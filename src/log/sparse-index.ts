/** Where a reader may start: one entry for every few kilobytes of a segment. */
export class SparseIndex {
  readonly offsets: number[] = [];
  readonly positions: number[] = [];
  /** The latest time of all records before the entry: ascending even where the times are not. */
  readonly latestBefore: number[] = [];

  /** The position up to which the last entry is known to stand; -1 while there is none. */
  get lastPosition(): number {
    return this.positions.at(-1) ?? -1;
  }

  add(offset: number, position: number, latestBefore: number): void {
    this.offsets.push(offset);
    this.positions.push(position);
    this.latestBefore.push(latestBefore);
  }

  /** The position of the last entry at or below the offset; 0 where there is none. */
  seek(offset: number): number {
    return this.positions[countWhile(this.offsets, at => at <= offset) - 1] ?? 0;
  }

  /** The position before which no record is as late as `time`. */
  seekTime(time: number): number {
    return this.positions[countWhile(this.latestBefore, latest => latest < time) - 1] ?? 0;
  }
}

/** How many of the leading values hold; those that hold come first. */
function countWhile(values: readonly number[], holds: (value: number) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(values[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
