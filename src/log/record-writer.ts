import type { HeaderValue } from '../core/headers.ts';

/** Texts longer than this go through the native encoder, whose call costs more than a short loop. */
const shortText = 48;

const notHex = 255;
/** The value of each lower-case hex digit by its character code. */
const hexValues: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const at = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return at < 0 ? notHex : at;
});

/** Writes the parts of a record one behind the other; the buffer must be large enough for all of them. */
export class RecordWriter {
  at = 0;
  readonly #buffer: Buffer;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  byte(value: number): void {
    this.#buffer[this.at++] = value;
  }

  byteAt(at: number, value: number): void {
    this.#buffer[at] = value;
  }

  float(value: number): void {
    this.at = this.#buffer.writeDoubleLE(value, this.at);
  }

  /** A length as LEB128, at most 5 bytes. */
  length(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#buffer[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.at++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  text(text: string): void {
    if (text.length <= shortText && this.#shortAscii(text, text.length)) return;
    this.length(Buffer.byteLength(text));
    this.at += this.#buffer.write(text, this.at);
  }

  /** A header's value: which of the two it is is told by the lowest bit of its length. */
  textOrBytes(value: HeaderValue): void {
    if (typeof value !== 'string') {
      this.length(value.length * 2 + 1);
      this.raw(value);
    } else if (value.length > shortText || !this.#shortAscii(value, value.length * 2)) {
      this.length(Buffer.byteLength(value) * 2);
      this.at += this.#buffer.write(value, this.at);
    }
  }

  /** So many bytes from lower-case hex digits; false, and nothing written, where the text is something else. */
  hex(text: string, bytes: number): boolean {
    if (text.length !== bytes * 2) return false;
    const start = this.at;
    for (let i = 0; i < bytes; i++) {
      const high = hexValues[text.charCodeAt(2 * i)] ?? notHex;
      const low = hexValues[text.charCodeAt(2 * i + 1)] ?? notHex;
      if (high === notHex || low === notHex) return false;
      this.#buffer[start + i] = (high << 4) | low;
    }
    this.at = start + bytes;
    return true;
  }

  /** False, and nothing written, where a character needs more than one byte. */
  #shortAscii(text: string, length: number): boolean {
    const start = this.at;
    this.length(length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) {
        this.at = start;
        return false;
      }
      this.#buffer[this.at++] = code;
    }
    return true;
  }
}
