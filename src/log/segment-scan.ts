import { closeSync, fstatSync, openSync } from 'node:fs';
import { FileWindow } from './file-window.ts';
import { frameOverhead, prefixBytes } from './frame.ts';
import { FrameScanner } from './frame-scanner.ts';
import { guarded } from './log-error.ts';
import { emptySegment, noteRecord, type Damage, type Segment } from './segment.ts';

/** Bytes read at a time while scanning. */
const scanChunkBytes = 4 * 1024 * 1024;

/** What a scan found. */
export interface ScannedSegment {
  /** Up to the last whole record. */
  readonly segment: Segment;
  /** What follows the last whole record; undefined where nothing does. */
  readonly tail: (Damage & { readonly torn: boolean }) | undefined;
}

/**
 * Reads a whole segment file and checks every record.
 *
 * @param below the base of the next segment, or Infinity
 * @throws LogError where the file cannot be read; damaged content raises nothing
 */
export function scanSegment(
  folder: string,
  base: number,
  below: number,
  indexEveryBytes: number,
): ScannedSegment {
  const segment = emptySegment(folder, base);
  return guarded('cannot open the segment', segment.path, () => {
    const fd = openSync(segment.path, 'r');
    try {
      const window = new FileWindow(fd, segment.path, { chunkBytes: scanChunkBytes, fresh: false });
      return scan(segment, new FrameScanner(window, base), fstatSync(fd).size, below, indexEveryBytes);
    } finally {
      closeSync(fd);
    }
  });
}

function scan(
  segment: Segment,
  scanner: FrameScanner,
  size: number,
  below: number,
  indexEveryBytes: number,
): ScannedSegment {
  let position = 0;
  while (position < size) {
    const from = segment.lastOffset + 1;
    if (!scanner.at(position, size, from, below)) {
      const next = scanner.resync(position + 1, size, from, below);
      if (next === undefined) return { segment, tail: tailOf(scanner.window, position, size) };
      segment.damage.push({ position, bytes: next - position });
    }
    noteRecord(segment, scanner.offset, scanner.time, scanner.position, scanner.end, indexEveryBytes);
    position = scanner.end;
  }
  return { segment, tail: undefined };
}

/** A write that was cut short leaves the beginning of a frame, or zeros where the disk made room first. */
function tailOf(window: FileWindow, position: number, size: number): ScannedSegment['tail'] {
  const bytes = size - position;
  return { position, bytes, torn: isUnfinished(window, position, size) || isZero(window, position, size) };
}

function isUnfinished(window: FileWindow, position: number, size: number): boolean {
  if (position + frameOverhead > size) return true;
  window.need(position, frameOverhead, size);
  return position + prefixBytes + window.view.getUint32(position - window.start, true) > size;
}

function isZero(window: FileWindow, position: number, size: number): boolean {
  for (let at = position; at < size; at = window.end) {
    window.need(at, 1, size);
    if (window.buffer.subarray(at - window.start, window.end - window.start).some(byte => byte !== 0))
      return false;
  }
  return true;
}
