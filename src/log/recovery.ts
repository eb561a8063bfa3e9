import { statSync, truncateSync } from 'node:fs';
import { readIndexFile, writeIndexFile } from './index-file.ts';
import { listSegments } from './log-folder.ts';
import { guarded } from './log-error.ts';
import { scanSegment } from './segment-scan.ts';
import { segmentPath, type Segment } from './segment.ts';
import { setAside, setAsideIfPossible, type Corruption } from './set-aside.ts';

/** What opening a log found in its folder. */
export interface RecoveredLog {
  /** Ascending by base. */
  readonly segments: Segment[];
  readonly corruptions: Corruption[];
  /** What follows the last whole record: the rest of a write that never finished. */
  readonly tornTail: Corruption | undefined;
}

/**
 * Reads what a folder holds. Unless `readOnly` the log is put in order: an unfinished last record is cut off, damaged
 * stretches are copied beside their segment, missing index files are written.
 *
 * @throws LogError where the folder or a file cannot be used; damaged content raises nothing
 */
export function recoverLog(folder: string, indexEveryBytes: number, readOnly: boolean): RecoveredLog {
  const bases = listSegments(folder, !readOnly);
  const recovered: RecoveredLog = { segments: [], corruptions: [], tornTail: undefined };
  bases.slice(0, -1).forEach((base, at) => {
    recovered.segments.push(sealed(folder, base, bases[at + 1] ?? Infinity, indexEveryBytes, readOnly));
  });
  const last = bases.at(-1);
  if (last === undefined) return recovered;
  const { segment, tail } = scanSegment(folder, last, Infinity, indexEveryBytes);
  recovered.segments.push(segment);
  for (const { path, damage } of recovered.segments)
    recovered.corruptions.push(...damage.map(({ position, bytes }) => ({ path, position, bytes })));
  if (!readOnly) recovered.corruptions.forEach(setAsideIfPossible);
  if (tail === undefined) return recovered;
  const tornTail = { path: segment.path, position: tail.position, bytes: tail.bytes };
  if (!tail.torn) recovered.corruptions.push(tornTail);
  if (!readOnly) cut(tornTail, tail.torn);
  return { ...recovered, tornTail };
}

function sealed(
  folder: string,
  base: number,
  below: number,
  indexEveryBytes: number,
  readOnly: boolean,
): Segment {
  const path = segmentPath(folder, base);
  const size = guarded('cannot open the segment', path, () => statSync(path).size);
  const indexed = readIndexFile(folder, base, size);
  if (indexed !== undefined) return indexed;
  const { segment, tail } = scanSegment(folder, base, below, indexEveryBytes);
  if (tail !== undefined) segment.damage.push({ position: tail.position, bytes: tail.bytes });
  segment.bytes = size;
  if (!readOnly && segment.damage.length === 0) writeIndexFile(segment);
  return segment;
}

/** What is more than the beginning of a record may have been one: it is kept beside the segment. */
function cut(tail: Corruption, torn: boolean): void {
  if (!torn) setAside(tail);
  guarded('cannot cut an unfinished record off', tail.path, () => truncateSync(tail.path, tail.position));
}
