import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { FrameBatch, noteBatch } from './frame-batch.ts';
import { frameOverhead, type LogRecord } from './frame.ts';
import { indexPath, writeIndexFile } from './index-file.ts';
import { syncFolder, temporaryEnding } from './log-folder.ts';
import { guarded } from './log-error.ts';
import type { SegmentCursor } from './segment-cursor.ts';
import { emptySegment, type Segment } from './segment.ts';
import { SegmentWriter } from './segment-writer.ts';
import { setAside } from './set-aside.ts';

const writeBytes = 1024 * 1024;

/**
 * Writes a sealed segment anew with only the records to keep, and puts it in the old one's place.
 *
 * @param cursor at the beginning of the segment
 * @returns the new segment, without a file where it has no records; the old one where all of them stay
 * @throws LogError with the old segment as it was; what `keep` throws likewise
 */
export function rewriteSegment(
  cursor: SegmentCursor,
  keep: (record: LogRecord) => boolean,
  indexEveryBytes: number,
): Segment {
  const old = cursor.segment;
  const path = old.path + temporaryEnding;
  rmSync(path, { force: true });
  try {
    const written = copyKept(
      cursor,
      { ...emptySegment(dirname(old.path), old.base), path },
      keep,
      indexEveryBytes,
    );
    if (written.count === old.count) return old;
    for (const damage of old.damage) setAside({ path: old.path, ...damage });
    const rewritten = { ...written, path: old.path };
    guarded('cannot replace the segment', old.path, () => replace(rewritten, path));
    return rewritten;
  } finally {
    rmSync(path, { force: true });
  }
}

/** The old index goes first: it must not be taken for that of the new file. */
function replace(segment: Segment, path: string): void {
  rmSync(indexPath(segment.path), { force: true });
  if (segment.count === 0) rmSync(segment.path);
  else renameSync(path, segment.path);
  syncFolder(dirname(segment.path));
  if (segment.count > 0) writeIndexFile(segment);
}

function copyKept(
  cursor: SegmentCursor,
  target: Segment,
  keep: (record: LogRecord) => boolean,
  indexEveryBytes: number,
): Segment {
  const writer = new SegmentWriter(target, 'never', true);
  try {
    const batch = new FrameBatch();
    for (const [records, bytes] of batches(cursor, keep)) {
      writer.write(batch.encode(records, bytes, target));
      noteBatch(target, records, indexEveryBytes);
    }
    writer.sync();
    return target;
  } finally {
    writer.close();
  }
}

function* batches(
  cursor: SegmentCursor,
  keep: (record: LogRecord) => boolean,
): Generator<readonly [readonly LogRecord[], number]> {
  let records: LogRecord[] = [];
  let bytes = 0;
  for (let record = cursor.take(); record !== undefined; record = cursor.take()) {
    if (!keep(record)) continue;
    records.push(record);
    bytes += frameOverhead + record.body.length;
    if (bytes < writeBytes) continue;
    yield [records, bytes];
    records = [];
    bytes = 0;
  }
  if (records.length > 0) yield [records, bytes];
}
