import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { field } from '../../src/config/field.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { taggedBy } from '../../src/config/tagged.ts';
import { integerIn, nonEmptyList, oneOf } from '../../src/config/values.ts';

function check(codec: t.Mixed, text: string): unknown {
  const result = parseConfig<unknown>('f', text, codec, {});
  return result._tag === 'Right'
    ? result.right.value
    : result.left.map(({ at, path, text }) => `${at.line}:${at.column} ${path}: ${text}`);
}

const colour = oneOf('red', 'green');

describe('validate', () => {
  it('refuses unknown keys within exact, readonly, partial, intersection and refinement', () => {
    const part = t.exact(t.readonly(t.intersection([t.type({ a: t.number }), t.partial({ bee: t.string })])));
    const codec = t.type({ part, list: nonEmptyList(t.strict({ c: t.number })) });
    expect(check(codec, 'part: {a: 1, be: x}\nlist:\n  - c: 1\n    d: 2\n')).toEqual([
      '1:14 part.be: is not known here, did you mean bee? (known: a, bee)',
      '4:5 list[0].d: is not known here, known: c',
    ]);
    expect(check(codec, 'part: {a: 1, bee: x}\nlist: []\n')).toEqual([
      '2:7 list: a list is empty, write at least one item',
    ]);
  });

  it('looks into the member of a union that a value is nearest to', () => {
    const codec = t.type({
      from: t.union([
        t.string,
        t.type({ file: t.string, speed: t.number }),
        t.type({ url: t.string }),
        t.readonlyArray(t.number),
      ]),
    });
    expect(check(codec, 'from: here\n')).toEqual({ from: 'here' });
    expect(check(codec, 'from: [1, 2]\n')).toEqual({ from: [1, 2] });
    expect(check(codec, 'from: [1, x]\n')).toEqual(['1:11 from[1]: "x" is no number']);
    expect(check(codec, 'from: {file: a, sped: 1}\n')).toEqual([
      '1:7 from.speed: is missing: a number',
      '1:17 from.sped: is not known here, did you mean speed? (known: file, speed)',
    ]);
    expect(check(codec, 'from: 5\n')).toEqual([expect.stringMatching(/^1:7 from: 5 is no text, .*or a map/)]);
  });

  it('names the choices of a closed set and the nearest of them', () => {
    const codec = t.type({
      a: colour,
      b: t.union([t.literal('x'), t.literal('yes')]),
      c: t.record(colour, t.number),
    });
    expect(check(codec, 'a: gren\nb: 1\nc: {red: 1, grene: 2}\n')).toEqual([
      '1:4 a: "gren" is not known here, did you mean green? (known: red, green)',
      '2:4 b: 1 is no choice of x, yes',
      '3:4 c.green: is missing: a number',
      '3:13 c.grene: is not known here, did you mean green? (known: red, green)',
    ]);
  });

  it('takes a tagged member apart and reports an unknown tag with those there are', () => {
    const codec = t.type({
      at: taggedBy('kind', { stub: t.type({}), file: t.type({ dir: t.string }), constructor_: t.type({}) }),
    });
    expect(check(codec, 'at: {kind: file, dir: x}\n')).toEqual({ at: { kind: 'file', dir: 'x' } });
    expect(check(codec, 'at: {kind: file, dri: x}\n')).toEqual([
      '1:5 at.dir: is missing: a text, write it in quotes where it looks like a number',
      '1:18 at.dri: is not known here, did you mean dir? (known: kind, dir)',
    ]);
    expect(check(codec, 'at: {kind: fil}\n')).toEqual([
      '1:12 at.kind: fil is no known kind, did you mean file? (known: stub, file, constructor_)',
    ]);
    expect(check(codec, 'at: {kind: constructor}\n')).toEqual([expect.stringContaining('is no known kind')]);
    expect(check(codec, 'at: {}\n')).toEqual([
      '1:5 at.kind: is missing: write one of stub, file, constructor_',
    ]);
    expect(check(codec, 'at: 3\n')).toEqual(['1:5 at: 3 is no map with "kind: stub | file | constructor_"']);
  });

  it('fills in defaults, also of sections that are left out', () => {
    const inner = t.type({ n: field(integerIn(1, 9), 'a number', 3) });
    const codec = t.type({ s: field(inner, 'a section', {}), c: field(colour, 'a colour', 'red') });
    expect(check(codec, '{}')).toEqual({ s: { n: 3 }, c: 'red' });
    expect(check(codec, 's: {n: 4}')).toEqual({ s: { n: 4 }, c: 'red' });
    expect(check(codec, 's:\n')).toEqual([expect.stringMatching(/^1:\d s: is empty: a map/)]);
    expect(() => field(colour, 'a colour', 'blue')).toThrow(TypeError);
  });

  it('follows recursive codecs', () => {
    interface Tree {
      readonly leaf: number;
      readonly below: readonly Tree[];
    }
    const Tree: t.Type<Tree> = t.recursion('Tree', () =>
      t.type({ leaf: t.number, below: t.readonlyArray(Tree) }),
    );
    expect(check(Tree, 'leaf: 1\nbelow:\n  - leaf: x\n    below: []\n    more: 1\n')).toEqual([
      '3:11 below[0].leaf: "x" is no number',
      '5:5 below[0].more: is not known here, known: leaf, below',
    ]);
  });

  it('finds the places of what only a codec of its own kind sees', () => {
    const inner = t.intersection([
      t.type({ a: t.type({ b: t.number, c: t.number }) }),
      t.type({ d: t.string }),
    ]);
    const opaque = new t.Type<t.TypeOf<typeof inner>>(
      'opaque',
      (u): u is t.TypeOf<typeof inner> => inner.is(u),
      (u, context) => inner.validate(u, context),
      t.identity,
    );
    expect(check(t.type({ x: opaque }), 'x:\n  a:\n    b: one\n')).toEqual([
      '3:8 x.a.b: "one" is no number',
      '3:5 x.a.c: is missing: number',
      '2:3 x.d: is missing: string',
    ]);
  });

  it('says of an empty file what it should hold', () => {
    expect(check(t.type({ a: t.number }), '')).toEqual([expect.stringMatching(/^1:1 : is empty: a map/)]);
  });
});
