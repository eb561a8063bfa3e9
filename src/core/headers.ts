/** The value of one header: text, or bytes where the sender wrote bytes. */
export type HeaderValue = string | Uint8Array;

type Flat = readonly HeaderValue[];

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * The headers of a message: an immutable, ordered list in which a name may repeat and a value may be bytes,
 * so that what arrives leaves again unchanged.
 *
 * @example
 * const headers = MessageHeaders.of({ 'correlation-id': 'a1' }).with('source', 'kraken');
 * headers.get('source'); // 'kraken'
 */
export class MessageHeaders {
  static readonly empty: MessageHeaders = new MessageHeaders([]);

  /** Names and values in turn: one array is a third of the memory of an array of pairs. */
  readonly #flat: Flat;

  private constructor(flat: Flat) {
    this.#flat = flat;
  }

  /** Headers from a record or from pairs; pairs keep their order and their repetitions. */
  static of(
    entries: Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]>,
  ): MessageHeaders {
    const pairs = Symbol.iterator in entries ? entries : Object.entries(entries);
    const flat: HeaderValue[] = [];
    for (const [name, value] of pairs) flat.push(name, value);
    return flat.length === 0 ? MessageHeaders.empty : new MessageHeaders(flat);
  }

  /** Headers from names and values in turn (`['a', '1', 'b', '2']`); takes the array over. */
  static fromFlat(flat: readonly HeaderValue[]): MessageHeaders {
    return flat.length === 0 ? MessageHeaders.empty : new MessageHeaders(flat);
  }

  /** How many entries there are, repetitions included. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** The last value under this name as text, or undefined. */
  get(name: string): string | undefined {
    const value = this.#last(name);
    return value === undefined || typeof value === 'string' ? value : decoder.decode(value);
  }

  /** The last value under this name as bytes, or undefined. */
  getBytes(name: string): Uint8Array | undefined {
    const value = this.#last(name);
    return typeof value === 'string' ? encoder.encode(value) : value;
  }

  /** Every value under this name, in order, as it was written. */
  getAll(name: string): HeaderValue[] {
    return [...this].filter(([key]) => key === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#last(name) !== undefined;
  }

  /** These headers with one value under the name, in place of any there. */
  with(name: string, value: HeaderValue): MessageHeaders {
    const kept = this.has(name) ? [...this].filter(([key]) => key !== name).flat() : this.#flat;
    return new MessageHeaders([...kept, name, value]);
  }

  /** These headers with one more value under the name. */
  append(name: string, value: HeaderValue): MessageHeaders {
    return new MessageHeaders([...this.#flat, name, value]);
  }

  /** Names and values in turn, for codecs of the wire. */
  toFlat(): readonly HeaderValue[] {
    return this.#flat;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, HeaderValue]> {
    for (let i = 0; i < this.#flat.length; i += 2) {
      yield [this.#flat[i] as string, this.#flat[i + 1] as HeaderValue];
    }
  }

  #last(name: string): HeaderValue | undefined {
    for (let i = this.#flat.length - 2; i >= 0; i -= 2) {
      if (this.#flat[i] === name) return this.#flat[i + 1];
    }
    return undefined;
  }
}
