import * as fc from 'fast-check';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { compileGuard } from '../../src/core/guard.ts';

const Level = t.tuple([t.number, t.number]);
const types: Readonly<Record<string, t.Mixed>> = {
  string: t.string,
  number: t.number,
  boolean: t.boolean,
  null: t.null,
  undefined: t.undefined,
  unknown: t.unknown,
  literal: t.literal('a'),
  keyof: t.keyof({ a: null, b: null }),
  array: t.array(t.number),
  'readonly array': t.readonlyArray(t.string),
  tuple: Level,
  'empty tuple': t.tuple([] as unknown as [t.Mixed]),
  record: t.record(t.string, t.number),
  type: t.type({ a: t.string, b: t.number }),
  'type with an optional value': t.type({ a: t.union([t.string, t.undefined]) }),
  partial: t.partial({ a: t.string, b: t.number }),
  intersection: t.intersection([t.type({ a: t.string }), t.partial({ b: t.number })]),
  union: t.union([t.string, t.null, t.type({ a: t.number })]),
  readonly: t.readonly(t.type({ a: t.array(Level) })),
  nested: t.type({ a: t.array(t.type({ b: t.union([t.number, t.null]) })) }),
};

/** Values near enough to the types that both answers are common. */
const near: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  leaf: fc.oneof(
    fc.constantFrom('a', 'b', '', 'toString', '__proto__', 0, 1, -0, Number.NaN, true, null, undefined),
    fc.constantFrom(new Date(0), /x/, Symbol.iterator, () => 1, 10n),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
  sparse: fc.constantFrom(new Array<number>(2), new Array<number>(0)),
  object: fc.record({ a: tie('value'), b: tie('value') }, { requiredKeys: [] }),
  other: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  value: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('list'), tie('sparse'), tie('object'), tie('other')),
})).value;

describe('compileGuard', () => {
  // Kills: `every` that skips holes, a partial that wants all its properties, a tuple of any length, an
  // intersection that asks for one of its parts, a keyof that takes inherited names.
  it.each(Object.entries(types))('agrees with io-ts on %s', (_, type) => {
    const guard = compileGuard(type);
    expect(guard).toBeTypeOf('function');
    fc.assert(
      fc.property(fc.oneof(near, fc.anything()), value => {
        expect(guard?.(value)).toBe(type.is(value));
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['a refinement', t.Int],
    ['a record with few keys', t.record(t.keyof({ a: null, b: null }), t.number)],
    ['exact', t.exact(t.type({ a: t.string }))],
    [
      'a transformation',
      new t.Type<number, string>('N', t.number.is, (u, c) => t.number.validate(Number(u), c), String),
    ],
    ['a type around one', t.type({ a: t.array(t.exact(t.type({ a: t.string }))) })],
    ['a union with one', t.union([t.string, t.Int])],
  ])('leaves %s to io-ts', (_, type) => {
    expect(compileGuard(type)).toBeUndefined();
  });
});
