import { isUtf8 } from 'node:buffer';

/**
 * Keys are text in a message and bytes in a record. Bytes that are no UTF-8 become lone surrogates, one a byte, which
 * no text contains: so keys of other programs stay different from each other, and go out again as they came.
 */
const escaped = 0xdc00;

export function keyText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString();
  let text = '';
  for (let at = 0; at < buffer.length;) {
    const length = lengthAt(buffer, at);
    text +=
      length === 0
        ? String.fromCharCode(escaped + (buffer[at] ?? 0))
        : buffer.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** The text itself where it is its own UTF-8. */
export function wireKey(text: string): string | Buffer {
  if (text.isWellFormed()) return text;
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(
      code >= escaped + 0x80 && code <= escaped + 0xff
        ? Buffer.from([code - escaped])
        : Buffer.from(character),
    );
  }
  return Buffer.concat(parts);
}

/** How many bytes the character there has; 0 where there is none. */
function lengthAt(buffer: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= buffer.length; length++) {
    if (isUtf8(buffer.subarray(at, at + length))) return length;
  }
  return 0;
}
