import type { HeaderValue } from '../core/headers.ts';

/** Reads the parts of a record one behind the other. @throws RangeError where it ends before its parts do */
export class RecordReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#buffer = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
  }

  byte(): number {
    const value = this.#buffer[this.#at++];
    if (value === undefined) throw cutShort(this.#buffer.length);
    return value;
  }

  float(): number {
    return this.#buffer.readDoubleLE(this.skip(8));
  }

  length(): number {
    let value = 0;
    for (let unit = 1; unit <= 128 ** 4; unit *= 128) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
    throw new RangeError('a length in the record has more than 5 bytes');
  }

  /** Passes over so many bytes and tells where they begin. */
  skip(bytes: number): number {
    const start = this.#at;
    this.#at = start + bytes;
    if (this.#at > this.#buffer.length) throw cutShort(this.#buffer.length);
    return start;
  }

  bytes(length: number = this.length()): Buffer {
    const start = this.skip(length);
    return this.#buffer.subarray(start, this.#at);
  }

  text(length: number = this.length()): string {
    const start = this.skip(length);
    return this.#buffer.toString('utf8', start, this.#at);
  }

  textOrBytes(): HeaderValue {
    const tagged = this.length();
    const length = Math.floor(tagged / 2);
    return tagged % 2 === 0 ? this.text(length) : this.bytes(length);
  }

  hex(bytes: number): string {
    const start = this.skip(bytes);
    return this.#buffer.toString('hex', start, this.#at);
  }

  rest(): Buffer {
    return this.#buffer.subarray(this.#at);
  }
}

function cutShort(bytes: number): RangeError {
  return new RangeError(`a record of ${bytes} bytes ends before its parts do`);
}
