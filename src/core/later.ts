import { right } from 'fp-ts/lib/Either.js';
import type { Codec } from './codec.ts';

/** A value that is decoded when it is first asked for: many messages are known by their headers to change nothing. */
export class Later<A> {
  readonly bytes: Uint8Array;
  readonly #codec: Codec<A>;
  #value: A | undefined;

  constructor(codec: Codec<A>, bytes: Uint8Array) {
    this.#codec = codec;
    this.bytes = bytes;
  }

  /** @throws CodecError where the bytes are no value of the codec; a handler that lets it pass has failed by it */
  get value(): A {
    if (this.#value === undefined) {
      const decoded = this.#codec.decode(this.bytes);
      if (decoded._tag === 'Left') throw decoded.left;
      this.#value = decoded.right;
    }
    return this.#value;
  }
}

/**
 * A topic as one whose values are decoded when they are asked for.
 *
 * @example
 * source(prices).pipe(
 *   decode(later(prices)), // Delivery<Later<MarketPrice>>
 *   filterValues((price, { headers }) => headers.get('source') === 'kraken' && price.value.price > 0),
 * )
 */
export function later<A>({ codec }: { readonly codec: Codec<A> }): { readonly codec: Codec<Later<A>> } {
  return {
    codec: {
      name: codec.name,
      version: codec.version,
      prepare: () => codec.prepare(),
      encode: ({ bytes }) => bytes,
      decode: bytes => right(new Later(codec, bytes)),
    },
  };
}
