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
        expect(headers.toFlat()).toEqual(entries.flat());
        expect(headers.length).toBe(headers.toFlat().reduce((sum, part) => sum + part.length, 0));
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
    expect(MessageHeaders.from([], [])).toBe(MessageHeaders.empty);
  });

  it('takes a value for each name, and refuses one more or less', () => {
    expect([...MessageHeaders.from(['a', 'b'], ['1', '2'])]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(() => MessageHeaders.from(['a', 'b'], ['1'])).toThrow('2 names for 1 values');
  });

  it('puts late text together for whoever reads it, and only then', () => {
    let reads = 0;
    const late = { length: 3, toString: () => `t-${++reads}` };
    const headers = MessageHeaders.from(['a', 'b'], [late, '2']);
    expect([headers.size, headers.length, headers.held('a'), headers.has('a'), reads]).toEqual([
      2,
      6,
      late,
      true,
      0,
    ]);
    expect(headers.get('a')).toBe('t-1');
    expect(headers.getBytes('a')).toEqual(new TextEncoder().encode('t-2'));
    expect([...headers.append('c', '3')]).toEqual([
      ['a', 't-3'],
      ['b', '2'],
      ['c', '3'],
    ]);
    expect(headers.toFlat()).toEqual(['a', 't-4', 'b', '2']);
  });
});
