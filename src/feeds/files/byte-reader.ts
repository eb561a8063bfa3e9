import { open, type FileHandle } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';

/** Read at once. Deflate grows at most about a thousandfold, so this bounds what a hostile file unpacks to. */
const readBytes = 32 * 1024;

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** Unpacks piece by piece and keeps what came before a defect. */
class Inflater {
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: 64 * 1024 });
  #out: Buffer[] = [];
  #wake: (() => void) | undefined;
  defect: string | undefined;

  constructor() {
    this.#gunzip.on('data', (chunk: Buffer) => this.#out.push(chunk));
    this.#gunzip.on('error', error => {
      this.defect ??= error.message;
      this.#wake?.();
    });
  }

  async push(chunk: Uint8Array | undefined): Promise<Buffer> {
    if (this.defect === undefined) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        // Callbacks learn of an error before its event is emitted.
        const done = (error?: Error | null): void => {
          this.defect ??= error?.message;
          resolve();
        };
        // Finished writing is not yet finished unpacking; that is the end of what comes out.
        if (chunk === undefined) this.#gunzip.on('end', resolve).end();
        else this.#gunzip.write(chunk, done);
      });
    }
    const out = this.#out;
    this.#out = [];
    return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out);
  }

  close(): void {
    this.#gunzip.destroy();
  }
}

/** A file read piece by piece, unpacked where it is gzip, which its first bytes tell. */
export class ByteReader {
  readonly path: string;
  readonly #buffer: Buffer = Buffer.allocUnsafe(readBytes);
  #file: FileHandle | undefined;
  #inflater: Inflater | undefined;
  #started = false;
  #ended = false;
  /** Bytes of the file as it lies on disk that were read. */
  bytesRead = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Why the file could not be unpacked to its end. */
  get defect(): string | undefined {
    return this.#inflater?.defect;
  }

  /** The next bytes, unpacked; undefined at the end, or where a defect stands. */
  async next(): Promise<Buffer | undefined> {
    while (!this.#ended) {
      this.#file ??= await open(this.path);
      const { bytesRead } = await this.#file.read(this.#buffer, 0, readBytes);
      this.bytesRead += bytesRead;
      this.#ended = bytesRead === 0;
      const out = await this.#unpacked(this.#buffer.subarray(0, bytesRead));
      if (this.defect !== undefined) this.#ended = true;
      if (out.length > 0) return out;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#inflater?.close();
    await this.#file?.close();
    this.#file = undefined;
  }

  #unpacked(chunk: Buffer): Buffer | Promise<Buffer> {
    if (!this.#started) {
      this.#started = true;
      if (isGzip(chunk)) this.#inflater = new Inflater();
    }
    if (this.#inflater === undefined) return Buffer.from(chunk);
    return this.#inflater.push(chunk.length === 0 ? undefined : chunk);
  }
}
