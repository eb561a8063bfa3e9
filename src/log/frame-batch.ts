import { frameOverhead, frameSeed, maxFrameBytes, writeFrame, type LogRecord } from './frame.ts';
import { noteRecord, type Segment } from './segment.ts';

/** A larger batch gets memory for itself, given back afterwards. */
const keptBytes = 4 * 1024 * 1024;

/** Frames of a whole batch, encoded into memory that is used again for the next. */
export class FrameBatch {
  #buffer: Buffer = Buffer.alloc(0);

  /** The frames as they go to the file at the segment's end; valid until the next call. */
  encode(records: readonly LogRecord[], bytes: number, segment: Segment): Buffer {
    const buffer = this.#room(bytes);
    let at = 0;
    for (const record of records)
      at = writeFrame(buffer, at, record, frameSeed(segment.base, segment.bytes + at));
    return buffer.subarray(0, at);
  }

  #room(bytes: number): Buffer {
    if (bytes <= this.#buffer.length) return this.#buffer;
    const room = Buffer.allocUnsafeSlow(
      bytes <= keptBytes ? Math.max(64 * 1024, 2 ** Math.ceil(Math.log2(bytes))) : bytes,
    );
    if (bytes <= keptBytes) this.#buffer = room;
    return room;
  }
}

/** Takes a batch that is now in the file into account. */
export function noteBatch(segment: Segment, records: readonly LogRecord[], indexEveryBytes: number): void {
  for (const { offset, time, body } of records) {
    const position = segment.bytes;
    noteRecord(segment, offset, time, position, position + frameOverhead + body.length, indexEveryBytes);
  }
}

/**
 * The bytes of a batch on disk.
 *
 * @param from the lowest offset that the first record may have
 * @throws RangeError where an offset does not ascend, a time is not a number or a body is too long
 */
export function measureBatch(records: readonly LogRecord[], from: number, maxRecordBytes: number): number {
  let bytes = 0;
  let next = from;
  for (const { offset, time, body } of records) {
    if (!Number.isSafeInteger(offset) || offset < next) throw badOffset(offset, next);
    if (!Number.isFinite(time))
      throw new RangeError(`Record ${offset}: time ${time} is not in milliseconds.`);
    if (body.length > maxRecordBytes) throw tooLong(offset, body.length, maxRecordBytes);
    next = offset + 1;
    bytes += frameOverhead + body.length;
  }
  if (bytes > maxFrameBytes)
    throw new RangeError(`A batch of ${bytes} bytes is too large: append it in parts.`);
  return bytes;
}

function badOffset(offset: number, next: number): RangeError {
  return new RangeError(
    `Offset ${offset} cannot be appended: the next one must be an integer from ${next} on.`,
  );
}

function tooLong(offset: number, bytes: number, limit: number): RangeError {
  return new RangeError(
    `Record ${offset} has ${bytes} bytes, more than maxRecordBytes (${limit}): send less at a time or raise the limit.`,
  );
}
