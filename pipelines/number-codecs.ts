import * as t from 'io-ts';

/** A number, or null where the value is not known (yet). */
export const numberOrNull: t.Type<number | null> = t.union([t.number, t.null]);

/** A finite number from `min` to `max`, both included; its name says so in error messages. */
export function numberBetween(min: number, max: number): t.Type<number> {
  const is = (u: unknown): u is number => typeof u === 'number' && u >= min && u <= max;
  return new t.Type(
    `number from ${min} to ${max}`,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context)),
    t.identity,
  );
}

/** A whole number from `min` to `max`, both included. */
export function integerBetween(min: number, max: number): t.Type<number> {
  const is = (u: unknown): u is number => Number.isInteger(u) && numberBetween(min, max).is(u);
  return new t.Type(
    `whole number from ${min} to ${max}`,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context)),
    t.identity,
  );
}

/** A codec narrowed by a condition; `name` says in error messages what was expected. */
export function satisfying<A>(codec: t.Type<A>, name: string, holds: (value: A) => boolean): t.Type<A> {
  return new t.Type(
    name,
    (u): u is A => codec.is(u) && holds(u),
    (u, context) => {
      const result = codec.validate(u, context);
      return result._tag === 'Right' && !holds(result.right) ? t.failure(u, context) : result;
    },
    t.identity,
  );
}
