import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HeaderValue, MessageHeaders } from '../../src/core/headers.ts';

const value: fc.Arbitrary<HeaderValue> = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 4 }));
const pairs = fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', 'toString'), value), { maxLength: 6 });

describe('MessageHeaders', () => {
  // Kills: a Map or record inside, which loses repetitions, order, bytes, or odd names.
  it('gives back every entry in order, as it was', () => {
    fc.assert(
      fc.property(pairs, entries => {
        const headers = MessageHeaders.of(entries);
        expect([...headers]).toEqual(entries);
        expect(headers.size).toBe(entries.length);
        expect([...MessageHeaders.fromFlat(headers.toFlat())]).toEqual(entries);
        expect(headers.getAll('a')).toEqual(entries.filter(([name]) => name === 'a').map(([, v]) => v));
      }),
    );
  });

  it('finds the last value of a name, as text and as bytes', () => {
    const headers = MessageHeaders.of([
      ['a', '1'],
      ['a', Uint8Array.of(0xc3, 0xa9)],
      ['b', 'é'],
    ]);
    expect([headers.get('a'), headers.get('b'), headers.get('c')]).toEqual(['é', 'é', undefined]);
    expect(headers.getBytes('b')).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect([headers.has('a'), headers.has('toString')]).toEqual([true, false]);
  });

  it('replaces with `with`, adds with `append`, and never changes', () => {
    const headers = MessageHeaders.of([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ]);
    expect([...headers.with('a', '4')]).toEqual([
      ['b', '2'],
      ['a', '4'],
    ]);
    expect(headers.append('a', '4').getAll('a')).toEqual(['1', '3', '4']);
    expect(headers.size).toBe(3);
  });

  it('has one empty instance', () => {
    expect(MessageHeaders.of({})).toBe(MessageHeaders.empty);
    expect(MessageHeaders.fromFlat([])).toBe(MessageHeaders.empty);
  });
});
