import { type FileHandle, open } from 'node:fs/promises';

/** As much of a file as appending lines needs. */
export type AppendableFile = Pick<FileHandle, 'read' | 'write' | 'truncate' | 'sync' | 'close' | 'stat'>;

export type OpenFile = (path: string) => Promise<AppendableFile>;

/** For reading and appending; only its owner may read it. */
export const openForAppending: OpenFile = path => open(path, 'a+', 0o600);

const chunkBytes = 64 * 1024;
const lineFeed = 0x0a;

/** A file of lines that only grows: a line is there whole or not at all. */
export class LineFile {
  readonly #file: AppendableFile;
  #size: number;
  /** Part of a line may be behind `#size`, left by a write that failed. */
  #torn = false;

  private constructor(file: AppendableFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens a file and repairs its end: a last line without its line feed is completed where `isWhole` says that
   * only the line feed is missing, else cut off, for whoever wrote it was never told that it is stored.
   */
  static async open(file: AppendableFile, isWhole: (line: string) => boolean): Promise<LineFile> {
    const { size } = await file.stat();
    const end = await endOfLines(file, size);
    const lines = new LineFile(file, end);
    if (end === size) return lines;
    const rest = await readRange(file, end, size);
    if (isWhole(rest.toString('utf8'))) {
      lines.#size = size;
      await lines.append('');
    } else await file.truncate(end);
    return lines;
  }

  /** Lines at the end that fit in so many bytes, oldest first. */
  async tail(bytes: number): Promise<readonly string[]> {
    const from = Math.max(0, this.#size - bytes);
    const lines = (await readRange(this.#file, from, this.#size)).toString('utf8').split('\n').slice(0, -1);
    return from === 0 ? lines : lines.slice(1);
  }

  /** Adds one line, one call at a time; where that fails nothing of it stays. */
  async append(line: string): Promise<void> {
    if (this.#torn) await this.#cut();
    const bytes = Buffer.from(`${line}\n`);
    try {
      for (let written = 0; written < bytes.length;) {
        written += (await this.#file.write(bytes, written)).bytesWritten;
      }
    } catch (error) {
      this.#torn = true;
      // Where cutting fails too, the next line tries it again first.
      await this.#cut().catch(() => undefined);
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Forces everything to disk and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }

  async #cut(): Promise<void> {
    const { size } = await this.#file.stat();
    // Who else has shortened the file meanwhile must not find it filled up with zeros.
    this.#size = Math.min(this.#size, size);
    await this.#file.truncate(this.#size);
    this.#torn = false;
  }
}

/** Where the last line feed ends; 0 where there is none. */
async function endOfLines(file: AppendableFile, size: number): Promise<number> {
  for (let to = size; to > 0; to -= chunkBytes) {
    const from = Math.max(0, to - chunkBytes);
    const at = (await readRange(file, from, to)).lastIndexOf(lineFeed);
    if (at >= 0) return from + at + 1;
  }
  return 0;
}

async function readRange(file: AppendableFile, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
