import * as t from 'io-ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../core/durations.ts';

/*
 * The name of each codec goes on a sentence: `"x" is no <name>`. The message of a failure ends a sentence that
 * begins with the value: `24 <message>`. Neither repeats the value.
 */

const longestText = 4096;

function measured(
  noun: string,
  examples: string,
  read: (text: string) => number | undefined,
  write: (value: number) => string,
): t.Type<number, unknown> {
  return new t.Type<number, unknown, unknown>(
    `${noun}, write for example ${examples}`,
    (u): u is number => typeof u === 'number' && Number.isFinite(u) && u >= 0,
    (u, context) => {
      if (typeof u === 'number') return t.failure(u, context, `has no unit, write for example ${examples}`);
      const value = typeof u === 'string' && u.length <= longestText ? read(u) : undefined;
      return value !== undefined && Number.isSafeInteger(value) ? t.success(value) : t.failure(u, context);
    },
    write,
  );
}

/** A duration such as `"24h"`, milliseconds once decoded; a number without a unit is refused. */
export const Duration: t.Type<number, unknown> = measured(
  'duration',
  '7d or 24h',
  parseDuration,
  formatDuration,
);

/** A size such as `"512KB"`, bytes once decoded (1 KB is 1024 bytes); a number without a unit is refused. */
export const ByteSize: t.Type<number, unknown> = measured('size', '512KB or 2MB', parseSize, formatSize);

/** A duration or size within bounds, both included. */
export function between(codec: t.Type<number, unknown>, min: string, max: string): t.Type<number, unknown> {
  const [low, high] = [codec.decode(min), codec.decode(max)];
  if (low._tag === 'Left' || high._tag === 'Left') throw new TypeError(`${min} or ${max} is no bound`);
  const inside = (value: number): boolean => value >= low.right && value <= high.right;
  return new t.Type<number, unknown, unknown>(
    `${codec.name.split(',')[0] ?? ''} from ${min} to ${max}`,
    (u): u is number => codec.is(u) && inside(u),
    (u, context) => {
      const decoded = codec.validate(u, context);
      return decoded._tag === 'Left' || inside(decoded.right) ? decoded : t.failure(u, context);
    },
    value => codec.encode(value),
  );
}

/** A finite number within bounds, both included. */
export function numberIn(min: number, max: number): t.Type<number, unknown> {
  return ranged(`number from ${min} to ${max}`, min, max, Number.isFinite);
}

/** A whole number within bounds, both included. */
export function integerIn(min: number, max: number): t.Type<number, unknown> {
  return ranged(`whole number from ${min} to ${max}`, min, max, Number.isSafeInteger);
}

function ranged(
  name: string,
  min: number,
  max: number,
  fits: (value: number) => boolean,
): t.Type<number, unknown> {
  const is = (u: unknown): u is number => typeof u === 'number' && fits(u) && u >= min && u <= max;
  return new t.Type<number, unknown, unknown>(
    name,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context)),
    t.identity,
  );
}

/** One text of a closed set; a problem lists the set and the nearest of it. */
export function oneOf<const Name extends string>(...names: readonly Name[]): t.Type<Name, unknown> {
  return t.keyof(fromNames(names));
}

function fromNames<Name extends string>(names: readonly Name[]): Record<Name, null>;
function fromNames(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map(name => [name, null]));
}

/**
 * A text of a given form.
 *
 * @param name what it is and how it is written: `name, write for example market-bars`
 */
export function textLike(pattern: RegExp, name: string): t.Type<string, unknown> {
  const is = (u: unknown): u is string => typeof u === 'string' && u.length <= longestText && pattern.test(u);
  return new t.Type<string, unknown, unknown>(
    name,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context)),
    t.identity,
  );
}

/** A text that is not empty, of at most 4096 letters. */
export const Text: t.Type<string, unknown> = textLike(
  /\S/,
  'text, write some words (in quotes where they look like a number)',
);

/** A list of at least one item. */
export function nonEmptyList<A>(item: t.Type<A, unknown>): t.Type<readonly A[], unknown> {
  const list = t.readonlyArray(item);
  const validate: t.Validate<unknown, readonly A[]> = (u, context) => {
    const decoded = list.validate(u, context);
    return decoded._tag === 'Right' && decoded.right.length === 0
      ? t.failure(u, context, 'is empty, write at least one item')
      : decoded;
  };
  const is = (u: unknown): u is readonly A[] => list.is(u) && u.length > 0;
  return new t.RefinementType(
    list.name,
    is,
    validate,
    a => list.encode(a),
    list,
    as => as.length > 0,
  );
}
