import { crc32 } from 'node:zlib';

/** One record of a log: opaque bytes with a place and a time. */
export interface LogRecord {
  /** Ascending within a log, with gaps after compaction; a safe integer from 0. */
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly body: Uint8Array;
}

/*
 * On disk, little-endian: length u32 (of all that follows the check sum), crc32 u32, offset f64, time f64, body.
 * The check sum starts from the frame's own place, so that a copy of a frame inside a body, or a block that the
 * disk wrote to the wrong place, never passes for a record when the reader looks for the next whole one.
 */

/** Bytes of length and check sum. */
export const prefixBytes = 8;
/** Bytes of a frame around its body. */
export const frameOverhead = 24;
/** No frame is longer than this, whatever its length field says. */
export const maxFrameBytes: number = 1024 ** 3;

/** What the check sum of a frame at this position of the segment with this base starts from. */
export function frameSeed(base: number, position: number): number {
  return (base + position) >>> 0;
}

/**
 * Writes a frame into the buffer.
 *
 * @param at where in the buffer
 * @param seed see {@link frameSeed}
 * @returns where the frame ends
 */
export function writeFrame(buffer: Buffer, at: number, record: LogRecord, seed: number): number {
  const { body } = record;
  const end = at + frameOverhead + body.length;
  buffer.writeUInt32LE(end - at - prefixBytes, at);
  buffer.writeDoubleLE(record.offset, at + 8);
  buffer.writeDoubleLE(record.time, at + 16);
  buffer.set(body, at + frameOverhead);
  buffer.writeUInt32LE(crc32(buffer.subarray(at + prefixBytes, end), seed), at + 4);
  return end;
}
