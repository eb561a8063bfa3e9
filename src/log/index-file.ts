import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { emptySegment, type Segment } from './segment.ts';
import { SparseIndex } from './sparse-index.ts';

/*
 * Written when a segment is sealed, so that opening the log need not scan it: 64-bit floats in this machine's byte
 * order (another order fails on the first and the segment is scanned), closed by a check sum.
 */
const formatMark = 0x4352_4958_0001;
const headFields = 9;
const sumBytes = 8;

/** The path of the index file of a segment. */
export function indexPath(segmentPath: string): string {
  return segmentPath.replace(/\.log$/, '.index');
}

/** Writes the index file of a sealed segment; a failure costs a scan at the next open and nothing else. */
export function writeIndexFile(segment: Segment): void {
  const path = indexPath(segment.path);
  try {
    writeFileSync(path, encodeIndex(segment));
  } catch {
    rmSync(path, { force: true });
  }
}

/** The sealed segment as its index file tells; undefined where that is absent, damaged or of another file. */
export function readIndexFile(folder: string, base: number, bytes: number): Segment | undefined {
  const segment = emptySegment(folder, base);
  const values = readValues(indexPath(segment.path), bytes);
  if (values === undefined || values[0] !== formatMark || values[1] !== base || values[2] !== bytes)
    return undefined;
  const field = (at: number): number => values[at] ?? NaN;
  segment.bytes = bytes;
  segment.count = field(3);
  segment.firstOffset = field(4);
  segment.lastOffset = field(5);
  segment.earliest = field(6);
  segment.latest = field(7);
  segment.index = decodeEntries(values.subarray(headFields), field(8));
  return segment;
}

function encodeIndex(segment: Segment): Uint8Array {
  const { index, base, bytes, count, firstOffset, lastOffset, earliest, latest } = segment;
  const entries = index.offsets.length;
  const values = new Float64Array(headFields + 3 * entries + 1);
  values.set([formatMark, base, bytes, count, firstOffset, lastOffset, earliest, latest, entries]);
  values.set(index.offsets, headFields);
  values.set(index.positions, headFields + entries);
  values.set(index.latestBefore, headFields + 2 * entries);
  const encoded = new Uint8Array(values.buffer);
  values[values.length - 1] = crc32(encoded.subarray(0, encoded.length - sumBytes));
  return encoded;
}

function decodeEntries(values: Float64Array, entries: number): SparseIndex {
  const index = new SparseIndex();
  for (let at = 0; at < entries; at += 1)
    index.add(values[at] ?? 0, values[entries + at] ?? 0, values[2 * entries + at] ?? 0);
  return index;
}

function readValues(path: string, segmentBytes: number): Float64Array | undefined {
  const file = readBounded(path, segmentBytes);
  if (file === undefined || file.length % 8 !== 0 || file.length < (headFields + 1) * 8) return undefined;
  const values = new Float64Array(file.length / 8);
  new Uint8Array(values.buffer).set(file);
  const sum = crc32(file.subarray(0, file.length - sumBytes));
  const fits = values.length === headFields + 3 * (values[8] ?? NaN) + 1;
  return fits && values.at(-1) === sum ? values : undefined;
}

/** A record takes as many bytes as an entry, or more: a longer index file is none. */
function readBounded(path: string, segmentBytes: number): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return fstatSync(fd).size <= segmentBytes + (headFields + 1) * 8 ? readFileSync(fd) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
