import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { guarded, toLogError } from './log-error.ts';
import type { Segment } from './segment.ts';

/** When appended records are forced to the disk: left to the operating system, or before every append returns. */
export type FsyncPolicy = 'never' | 'batch';

/** The open end of the last segment. */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #fd: number;
  readonly #fsync: FsyncPolicy;
  /** A failed write may have left bytes behind the last whole record. */
  #untidy = false;

  /** @param create true where the file must not exist yet */
  constructor(segment: Segment, fsync: FsyncPolicy, create: boolean) {
    this.segment = segment;
    this.#fsync = fsync;
    const what = create ? 'cannot create the segment' : 'cannot open the segment';
    this.#fd = guarded(what, segment.path, () => openSync(segment.path, create ? 'wx+' : 'r+'));
  }

  /**
   * Writes frames at the end of the file, wholly or not at all.
   *
   * @throws LogError with the file cut back to what it held before
   */
  write(frames: Buffer): void {
    try {
      if (this.#untidy) this.#tidy();
      this.#untidy = true;
      this.#writeAll(frames);
      if (this.#fsync === 'batch') fdatasyncSync(this.#fd);
      this.#untidy = false;
      this.segment.dirty = this.#fsync === 'never';
    } catch (error) {
      this.#tidyIfPossible();
      throw toLogError(error, `cannot append ${frames.length} bytes`, this.segment.path);
    }
  }

  sync(): void {
    guarded('cannot force to the disk', this.segment.path, () => {
      if (this.segment.dirty) fdatasyncSync(this.#fd);
      this.segment.dirty = false;
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #writeAll(frames: Buffer): void {
    const { bytes } = this.segment;
    for (let done = 0; done < frames.length;)
      done += writeSync(this.#fd, frames, done, frames.length - done, bytes + done);
  }

  #tidy(): void {
    ftruncateSync(this.#fd, this.segment.bytes);
    this.#untidy = false;
  }

  /** Where even cutting fails, the next write tries it again first. */
  #tidyIfPossible(): void {
    try {
      this.#tidy();
    } catch {
      this.#untidy = true;
    }
  }
}

/** Forces a segment that is no longer written to onto the disk. */
export function syncSealed(segment: Segment): void {
  guarded('cannot force to the disk', segment.path, () => {
    const fd = openSync(segment.path, 'r+');
    try {
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
  segment.dirty = false;
}
