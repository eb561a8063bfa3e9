import * as t from 'io-ts';
import { isLeft } from 'fp-ts/lib/Either.js';

/** A stored state that cannot be used; the message names the state, the place in it, and what to do. */
export class StateRefused extends Error {
  override readonly name = 'StateRefused';
  /** Which state: `momentum`, `regime`, ... */
  readonly state: string;

  constructor(state: string, flaw: string) {
    super(`Stored ${state} state is refused: ${flaw}. Reset it, or go back to the version that wrote it.`);
    this.state = state;
  }
}

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
  return structuredClone(codec.encode(state));
}

/**
 * The live state of what {@link encodeState} made (perhaps through JSON text).
 *
 * @throws StateRefused where the text is of another shape.
 */
export function decodeState<A>(name: string, codec: t.Type<A, unknown>, json: unknown): A {
  const result = codec.decode(structuredClone(json));
  if (isLeft(result)) {
    const context = result.left[0]?.context ?? [];
    const path = context.map(({ key }) => key).filter(key => key !== '');
    throw new StateRefused(
      name,
      `at ${path.join('.') || 'its top'} expected ${context.at(-1)?.type.name ?? 'a state'}`,
    );
  }
  return result.right;
}
