import * as t from 'io-ts';
import { knownNames } from './nearest-name.ts';
import { textLike } from './values.ts';

/** A name that people give: of a bundle, a backend, a sink. */
export const Name: t.Type<string, unknown> = textLike(
  /^[a-z][a-z0-9-]{0,63}$/,
  'name, write small letters, digits and hyphens, for example embedded',
);

/**
 * The name of one of those that there are.
 *
 * @param known those; default: any name will do
 */
export function nameOf(what: string, known?: readonly string[]): t.Type<string, unknown> {
  if (known === undefined) return Name;
  const is = (u: unknown): u is string => typeof u === 'string' && known.includes(u);
  const problem = (u: unknown): string => `is no known ${what}, ${knownNames(String(u), known)}`;
  return new t.Type<string, unknown>(
    `known ${what}, ${knownNames('', known)}`,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context, problem(u))),
    t.identity,
  );
}
