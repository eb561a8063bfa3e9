import * as t from 'io-ts';

/** The most numbers that a stored ring may hold. */
const maxRing = 1_000_000;

function numbersOf(text: string): Float64Array | undefined {
  if (text.length > maxRing * 11) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 8 !== 0) return undefined;
  const numbers = new Float64Array(bytes.length / 8);
  bytes.copy(new Uint8Array(numbers.buffer));
  return numbers;
}

/** A ring of doubles, stored as base64 of its little-endian bytes: exact, and a third of decimal text. */
export const ringOfNumbers: t.Type<Float64Array, string> = new t.Type(
  'base64 of doubles',
  (u): u is Float64Array => u instanceof Float64Array,
  (u, context) => {
    const numbers = typeof u === 'string' ? numbersOf(u) : undefined;
    return numbers === undefined ? t.failure(u, context) : t.success(numbers);
  },
  ring => Buffer.from(ring.buffer, ring.byteOffset, ring.byteLength).toString('base64'),
);

/** The JSON-safe form of a state; it shares nothing with the live one. */
export function encodeState<A>(codec: t.Type<A, unknown>, state: A): unknown {
  return copyOf(codec.encode(state));
}

/** A copy but for texts, which cannot change: rings are most of a state, and long ones at that. */
function copyOf(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(copyOf);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, copyOf(value)]));
}
