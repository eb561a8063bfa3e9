import { type Either, isRight, left, right } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import { reasonOf } from './failure.ts';
import { compileGuard } from './guard.ts';

/** Bytes that are no value of the codec, or a value that it cannot write. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  /** The name of the codec. */
  readonly codec: string;
  /** Each problem on its own, with its path. */
  readonly problems: readonly string[];

  constructor(codec: string, problems: readonly string[], options?: ErrorOptions) {
    super(`${codec}: ${problems.slice(0, 5).join('; ')}${problems.length > 5 ? '; ...' : ''}`, options);
    this.codec = codec;
    this.problems = problems;
  }
}

/** How the values of a topic become bytes and come back. */
export interface Codec<A> {
  readonly name: string;
  /** Travels in the header `schema-version`. */
  readonly version: string;
  /** Made ready before first use, for codecs that ask a schema registry. */
  prepare(): Promise<void>;
  /** @throws CodecError where the value cannot be written */
  encode(value: A): Uint8Array;
  decode(bytes: Uint8Array): Either<CodecError, A>;
}

export interface JsonCodecOptions<A> {
  /** Default: the io-ts type's own name. */
  readonly name?: string;
  /** Default: `1`. */
  readonly version?: string;
  /** What holds beyond the shape: the problem in words, or undefined. */
  readonly check?: (value: A) => string | undefined;
  /** The largest payload that is parsed, bytes; default 16 MiB. */
  readonly maxBytes?: number;
}

/**
 * JSON in UTF-8, validated by an io-ts type. Where the type leaves its input as it is, a guard compiled from
 * it decides, and io-ts is asked only for the words of an error.
 *
 * @example
 * const codec = jsonCodec(t.type({ symbol: t.string, price: t.number }), { name: 'Tick' });
 * codec.decode(codec.encode({ symbol: 'BTC-USD', price: 64000 })); // Right({ symbol, price })
 */
export function jsonCodec<A>(type: t.Type<A, unknown>, options: JsonCodecOptions<A> = {}): Codec<A> {
  const { name = type.name, version = '1', check, maxBytes = 16 * 1024 * 1024 } = options;
  const guard = compileGuard(type);
  const isValue = (value: unknown): value is A => guard?.(value) === true;
  const refuse = (problem: string, cause?: unknown): Either<CodecError, A> =>
    left(new CodecError(name, [problem], { cause }));

  const validate = (json: unknown): Either<CodecError, A> => {
    if (!isValue(json)) {
      const result = type.decode(json);
      if (!isRight(result)) return left(new CodecError(name, PathReporter.report(result)));
      json = result.right;
    }
    const problem = check?.(json as A);
    return problem === undefined ? right(json as A) : refuse(problem);
  };

  return {
    name,
    version,
    prepare: () => Promise.resolve(),
    encode: value => {
      const json = JSON.stringify(guard ? value : type.encode(value)) as string | undefined;
      if (json === undefined) throw new CodecError(name, ['the value has no JSON form']);
      return Buffer.from(json);
    },
    decode: bytes => {
      if (bytes.length > maxBytes) return refuse(`${bytes.length} bytes, at most ${maxBytes} are read`);
      try {
        return validate(JSON.parse(textOf(bytes)));
      } catch (error) {
        return refuse(`not JSON: ${reasonOf(error)}`, error);
      }
    },
  };
}

function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}

/** Bytes as they are. */
export const rawCodec: Codec<Uint8Array> = {
  name: 'bytes',
  version: '1',
  prepare: () => Promise.resolve(),
  encode: value => value,
  decode: bytes => right(bytes),
};

/** UTF-8 text. */
export const textCodec: Codec<string> = {
  name: 'text',
  version: '1',
  prepare: () => Promise.resolve(),
  encode: value => Buffer.from(value),
  decode: bytes => right(textOf(bytes)),
};
