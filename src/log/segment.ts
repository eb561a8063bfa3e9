import { join } from 'node:path';
import { SparseIndex } from './sparse-index.ts';

/** What is known of one file of a log, for retention by size and by age. */
export interface SegmentInfo {
  /** The lowest offset that the file may hold; its name. */
  readonly base: number;
  readonly bytes: number;
  /** Records in it. */
  readonly count: number;
  /** The earliest and the latest time of its records, ms; undefined where it holds none. */
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
}

/** A stretch of a file that holds no readable record. */
export interface Damage {
  readonly position: number;
  readonly bytes: number;
}

/** One file of a log as the log keeps it in mind. */
export interface Segment {
  readonly base: number;
  readonly path: string;
  bytes: number;
  count: number;
  firstOffset: number;
  lastOffset: number;
  earliest: number;
  latest: number;
  index: SparseIndex;
  readonly damage: Damage[];
  /** Written to since it was last forced to the disk. */
  dirty: boolean;
}

const logName = /^(\d{20})\.log$/;

/** The path of the segment with this base. */
export function segmentPath(folder: string, base: number): string {
  return join(folder, `${String(base).padStart(20, '0')}.log`);
}

/** The base that a file's name tells; undefined where the name is not that of a segment. */
export function segmentBase(name: string): number | undefined {
  const base = Number(logName.exec(name)?.[1] ?? NaN);
  return Number.isSafeInteger(base) ? base : undefined;
}

/** A segment without records. */
export function emptySegment(folder: string, base: number): Segment {
  return {
    base,
    path: segmentPath(folder, base),
    bytes: 0,
    count: 0,
    firstOffset: base,
    lastOffset: base - 1,
    earliest: Infinity,
    latest: -Infinity,
    index: new SparseIndex(),
    damage: [],
    dirty: false,
  };
}

/** Takes one more record, whose frame ends at `end`, into account. */
export function noteRecord(
  segment: Segment,
  offset: number,
  time: number,
  position: number,
  end: number,
  indexEveryBytes: number,
): void {
  const { index } = segment;
  if (index.lastPosition < 0 || position - index.lastPosition >= indexEveryBytes)
    index.add(offset, position, segment.latest);
  if (segment.count === 0) segment.firstOffset = offset;
  segment.count += 1;
  segment.lastOffset = offset;
  if (time < segment.earliest) segment.earliest = time;
  if (time > segment.latest) segment.latest = time;
  segment.bytes = end;
}

export function segmentInfo(segment: Segment): SegmentInfo {
  const { base, bytes, count, earliest, latest } = segment;
  return {
    base,
    bytes,
    count,
    firstTime: count === 0 ? undefined : earliest,
    lastTime: count === 0 ? undefined : latest,
  };
}
