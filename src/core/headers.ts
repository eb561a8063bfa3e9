/** The value of one header: text, or bytes where the sender wrote bytes. */
export type HeaderValue = string | Uint8Array;

/** Text that is put together when somebody reads it: most headers are carried and never read. */
export interface LateText {
  /** Of the text. */
  readonly length: number;
  toString(): string;
}

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
  static readonly empty: MessageHeaders = new MessageHeaders([], []);

  /** Names and values apart: the messages of one sender share their names. */
  readonly #names: readonly string[];
  readonly #values: readonly (HeaderValue | LateText)[];
  /** Below zero while nobody has asked. */
  #length = -1;

  private constructor(names: readonly string[], values: readonly (HeaderValue | LateText)[]) {
    this.#names = names;
    this.#values = values;
  }

  /** Headers from a record or from pairs; pairs keep their order and their repetitions. */
  static of(
    entries: Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]>,
  ): MessageHeaders {
    const pairs = Symbol.iterator in entries ? entries : Object.entries(entries);
    const names: string[] = [];
    const values: HeaderValue[] = [];
    for (const [name, value] of pairs) {
      names.push(name);
      values.push(value);
    }
    return MessageHeaders.from(names, values);
  }

  /** Headers from as many values as names; takes both over. Many headers may be given the same list of names. */
  static from(names: readonly string[], values: readonly (HeaderValue | LateText)[]): MessageHeaders {
    if (names.length !== values.length) {
      throw new RangeError(`headers: ${names.length} names for ${values.length} values`);
    }
    return names.length === 0 ? MessageHeaders.empty : new MessageHeaders(names, values);
  }

  /** How many entries there are, repetitions included. */
  get size(): number {
    return this.#names.length;
  }

  /** Characters and bytes of all names and values. */
  get length(): number {
    if (this.#length >= 0) return this.#length;
    let length = 0;
    for (const name of this.#names) length += name.length;
    for (const value of this.#values) length += value.length;
    this.#length = length;
    return length;
  }

  /** The last value under this name as text, or undefined. */
  get(name: string): string | undefined {
    const value = this.held(name);
    if (value === undefined || typeof value === 'string') return value;
    return value instanceof Uint8Array ? decoder.decode(value) : value.toString();
  }

  /** The last value under this name as bytes, or undefined. */
  getBytes(name: string): Uint8Array | undefined {
    const value = this.held(name);
    return value === undefined || value instanceof Uint8Array ? value : encoder.encode(value.toString());
  }

  /** Every value under this name, in order, as it was written. */
  getAll(name: string): HeaderValue[] {
    return [...this].filter(([key]) => key === name).map(([, value]) => value);
  }

  /** The last value under this name as it is held, for whoever made it, or undefined. */
  held(name: string): HeaderValue | LateText | undefined {
    const names = this.#names;
    for (let i = names.length - 1; i >= 0; i--) if (names[i] === name) return this.#values[i];
    return undefined;
  }

  has(name: string): boolean {
    return this.held(name) !== undefined;
  }

  /** These headers with one value under the name, in place of any there. */
  with(name: string, value: HeaderValue): MessageHeaders {
    const kept = this.has(name) ? MessageHeaders.of([...this].filter(([key]) => key !== name)) : this;
    return kept.append(name, value);
  }

  /** These headers with one more value under the name. */
  append(name: string, value: HeaderValue): MessageHeaders {
    return new MessageHeaders([...this.#names, name], [...this.#values, value]);
  }

  /** These headers and those of a record behind them. */
  concat(others: Readonly<Record<string, HeaderValue>>): MessageHeaders {
    const names = namesBehind(this.#names, Object.keys(others));
    return new MessageHeaders(names, [...this.#values, ...Object.values(others)]);
  }

  /** Names and values in turn, for codecs of the wire. */
  toFlat(): readonly HeaderValue[] {
    const flat: HeaderValue[] = [];
    for (let i = 0; i < this.#names.length; i++) flat.push(this.#names[i] as string, this.#valueAt(i));
    return flat;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, HeaderValue]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i] as string, this.#valueAt(i)];
  }

  #valueAt(i: number): HeaderValue {
    const value = this.#values[i] ?? '';
    return typeof value === 'string' || value instanceof Uint8Array ? value : value.toString();
  }
}

/** What was put behind a list of names last, and the list that it made. */
const made = new WeakMap<
  readonly string[],
  { readonly others: readonly string[]; readonly names: readonly string[] }
>();

/** One sender puts the same names behind the same list again and again, and its messages share what it makes. */
function namesBehind(names: readonly string[], others: readonly string[]): readonly string[] {
  const last = made.get(names);
  if (last?.others.length === others.length && others.every((name, i) => name === last.others[i])) {
    return last.names;
  }
  const all = [...names, ...others];
  made.set(names, { others, names: all });
  return all;
}
