import { crc32 } from 'node:zlib';
import type { FileWindow } from './file-window.ts';
import { frameOverhead, frameSeed, maxFrameBytes, prefixBytes } from './frame.ts';

/** Finds whole records in a segment file; the fields describe the last one found. */
export class FrameScanner {
  offset = 0;
  time = 0;
  /** Where in the file the frame starts and ends. */
  position = 0;
  end = 0;
  readonly window: FileWindow;
  readonly #base: number;

  /** @param base the segment's first possible offset */
  constructor(window: FileWindow, base: number) {
    this.window = window;
    this.#base = base;
  }

  /**
   * True where a whole, undamaged record starts at `position`.
   *
   * @param limit bytes of the file that count
   * @param from the lowest offset that fits here
   * @param below offsets from here on belong to the next segment
   */
  at(position: number, limit: number, from: number, below: number): boolean {
    if (position + frameOverhead > limit) return false;
    const { window } = this;
    window.need(position, frameOverhead, limit);
    const start = position - window.start;
    const rest = window.view.getUint32(start, true);
    const bytes = rest + prefixBytes;
    if (bytes < frameOverhead || bytes > maxFrameBytes || position + bytes > limit) return false;
    const offset = window.view.getFloat64(start + 8, true);
    if (!(offset >= from && offset < below) || !Number.isSafeInteger(offset)) return false;
    window.need(position, bytes, limit);
    if (!this.#sound(position, bytes)) return false;
    this.offset = offset;
    this.position = position;
    this.end = position + bytes;
    return true;
  }

  /** The body of the record last found, as a view of the window. */
  body(): Buffer {
    const { window } = this;
    return window.buffer.subarray(this.position - window.start + frameOverhead, this.end - window.start);
  }

  /** The position of the next whole record at or after `position`; undefined where there is none. */
  resync(position: number, limit: number, from: number, below: number): number | undefined {
    for (let at = position; at + frameOverhead <= limit; at += 1)
      if (this.at(at, limit, from, below)) return at;
    return undefined;
  }

  #sound(position: number, bytes: number): boolean {
    const { buffer, view, start } = this.window;
    const at = position - start;
    const seed = frameSeed(this.#base, position);
    if (crc32(buffer.subarray(at + prefixBytes, at + bytes), seed) !== view.getUint32(at + 4, true))
      return false;
    this.time = view.getFloat64(at + 16, true);
    return true;
  }
}
