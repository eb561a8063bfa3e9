import { readSync } from 'node:fs';
import { LogError, toLogError } from './log-error.ts';

/** How a window reads its file. */
export interface FileWindowOptions {
  /** Bytes read at a time, at least. */
  readonly chunkBytes: number;
  /** True where views of the bytes outlive the next load: every load then has memory of its own. */
  readonly fresh: boolean;
}

/** A part of a file in memory that moves along with its reader. */
export class FileWindow {
  /** The bytes of the file from `start` to `end`. */
  buffer: Buffer = Buffer.alloc(0);
  /** The same bytes, for reading numbers fast. */
  view: DataView = new DataView(this.buffer.buffer, 0, 0);
  start = 0;
  end = 0;
  readonly #fd: number;
  readonly #path: string;
  readonly #options: FileWindowOptions;

  constructor(fd: number, path: string, options: FileWindowOptions) {
    this.#fd = fd;
    this.#path = path;
    this.#options = options;
  }

  /** Makes `bytes` bytes from `position` available, and more of what lies before `limit`. */
  need(position: number, bytes: number, limit: number): void {
    if (position >= this.start && position + bytes <= this.end) return;
    const wanted = Math.min(Math.max(bytes, this.#options.chunkBytes), limit - position);
    if (this.#options.fresh || this.buffer.length < wanted) this.#allocate(wanted);
    this.start = position;
    this.end = position;
    this.#fill(position + bytes, position + wanted);
  }

  #allocate(bytes: number): void {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, bytes);
  }

  #fill(atLeast: number, atMost: number): void {
    while (this.end < atLeast) {
      const count = this.#read(atMost);
      if (count === 0) throw shrunk(this.#path, this.end);
      this.end += count;
    }
  }

  #read(atMost: number): number {
    try {
      return readSync(this.#fd, this.buffer, this.end - this.start, atMost - this.end, this.end);
    } catch (error) {
      throw toLogError(error, 'cannot read', this.#path);
    }
  }
}

function shrunk(path: string, position: number): LogError {
  return new LogError(
    'corrupt',
    path,
    `the file ends at byte ${position}, before what was written to it`,
    'Something else cut it: make sure that one process owns the folder, then open the log again.',
  );
}
