import { SegmentCursor, type OnDamage } from './segment-cursor.ts';
import type { Segment } from './segment.ts';

/** Readers of one log that each go on where they were: a consumer group more re-reads a chunk per read. */
const maxCursors = 4;

/** Places of the readers of one log, the last one used first. */
export class CursorPool {
  readonly #segments: readonly Segment[];
  readonly #onDamage: OnDamage;
  #cursors: SegmentCursor[] = [];

  /** @param segments of the log, ascending; the pool follows its changes */
  constructor(segments: readonly Segment[], onDamage: OnDamage) {
    this.#segments = segments;
    this.#onDamage = onDamage;
  }

  /** A cursor at the first record from this offset on; undefined past the last segment. */
  at(from: number): SegmentCursor | undefined {
    const waiting = this.#cursors.find(cursor => cursor.next === from);
    if (waiting === undefined) return this.#open(segmentHolding(this.#segments, from), from);
    if (waiting !== this.#cursors[0])
      this.#cursors = [waiting, ...this.#cursors.filter(cursor => cursor !== waiting)];
    return waiting;
  }

  /** The cursor for the segment after that of this one, which is done with; undefined after the last. */
  advance(cursor: SegmentCursor): SegmentCursor | undefined {
    const following = this.#segments[this.#segments.indexOf(cursor.segment) + 1];
    if (following === undefined) return undefined;
    this.#discard(cursor);
    return this.#open(following, cursor.next);
  }

  /** Lets go of a segment's file. */
  forget(segment: Segment): void {
    for (const cursor of this.#cursors) if (cursor.segment === segment) this.#discard(cursor);
  }

  close(): void {
    for (const cursor of this.#cursors) cursor.close();
    this.#cursors = [];
  }

  #open(segment: Segment | undefined, from: number): SegmentCursor | undefined {
    if (segment === undefined) return undefined;
    const cursor = new SegmentCursor(segment, from, this.#onDamage);
    this.#cursors.unshift(cursor);
    const [oldest] = this.#cursors.slice(maxCursors);
    if (oldest !== undefined) this.#discard(oldest);
    return cursor;
  }

  #discard(cursor: SegmentCursor): void {
    this.#cursors = this.#cursors.filter(other => other !== cursor);
    cursor.close();
  }
}

/** The first segment that may hold a record from this offset on. */
function segmentHolding(segments: readonly Segment[], from: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.lastOffset ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return segments[low];
}
