import * as fc from 'fast-check';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { CodecError, jsonCodec, rawCodec, textCodec } from '../../src/core/codec.ts';

const Tick = t.type({ symbol: t.string, price: t.number });
const NumberFromText = new t.Type<number, string>(
  'NumberFromText',
  t.number.is,
  (input, context) => (typeof input === 'string' ? t.success(Number(input)) : t.failure(input, context)),
  String,
);

/** What `decode` found wrong. */
function problems(
  codec: { decode(bytes: Uint8Array): { _tag: string; left?: CodecError } },
  text: string,
): readonly string[] {
  return codec.decode(Buffer.from(text)).left?.problems ?? [];
}

describe('jsonCodec', () => {
  it('reads what it wrote', () => {
    const codec = jsonCodec(Tick);
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (symbol, price) => {
          const decoded = codec.decode(codec.encode({ symbol, price }));
          // JSON has no negative zero.
          expect(decoded).toEqual({
            _tag: 'Right',
            right: { symbol: symbol.toWellFormed(), price: price + 0 },
          });
        },
      ),
    );
  });

  it('says what is wrong, where', () => {
    const codec = jsonCodec(Tick, { name: 'Tick' });
    expect(problems(codec, '{"symbol":1}')).toEqual([
      'Invalid value 1 supplied to : { symbol: string, price: number }/symbol: string',
      'Invalid value undefined supplied to : { symbol: string, price: number }/price: number',
    ]);
    expect(problems(codec, '{')[0]).toMatch(/^not JSON: /);
    expect(problems(codec, '')[0]).toMatch(/^not JSON: /);
  });

  it('checks what holds beyond the shape', () => {
    const codec = jsonCodec(Tick, {
      check: ({ price }) => (price > 0 ? undefined : 'price must be above 0'),
    });
    expect(problems(codec, '{"symbol":"x","price":0}')).toEqual(['price must be above 0']);
    expect(problems(codec, '{"symbol":"x","price":1}')).toEqual([]);
  });

  it('refuses a payload that is too large before parsing it', () => {
    expect(problems(jsonCodec(t.unknown, { maxBytes: 4 }), '[1,2]')).toEqual(['5 bytes, at most 4 are read']);
    expect(problems(jsonCodec(t.unknown, { maxBytes: 5 }), '[1,2]')).toEqual([]);
  });

  it('transforms where the type does', () => {
    const codec = jsonCodec(t.type({ n: NumberFromText }));
    expect(codec.encode({ n: 5 })).toEqual(Buffer.from('{"n":"5"}'));
    expect(codec.decode(Buffer.from('{"n":"5"}'))).toEqual({ _tag: 'Right', right: { n: 5 } });
  });

  it('refuses to write what has no JSON form', () => {
    expect(() => jsonCodec(t.unknown).encode(undefined)).toThrow(CodecError);
  });

  it('reads bytes that are a view into a larger buffer', () => {
    const whole = new TextEncoder().encode('xx"a"xx');
    expect(jsonCodec(t.string).decode(whole.subarray(2, 5))).toEqual({ _tag: 'Right', right: 'a' });
  });

  it('has a name and a version', () => {
    expect(jsonCodec(Tick, { name: 'Tick', version: '2' })).toMatchObject({ name: 'Tick', version: '2' });
    expect(jsonCodec(t.string)).toMatchObject({ name: 'string', version: '1' });
  });
});

describe('CodecError', () => {
  it('shows five problems at most, keeps all', () => {
    const error = new CodecError('X', ['1', '2', '3', '4', '5', '6']);
    expect(error.message).toBe('X: 1; 2; 3; 4; 5; ...');
    expect(error.problems).toHaveLength(6);
  });
});

describe('rawCodec and textCodec', () => {
  it('leave bytes as they are', () => {
    const bytes = Uint8Array.of(0, 255);
    expect(rawCodec.encode(bytes)).toBe(bytes);
    expect(rawCodec.decode(bytes)).toEqual({ _tag: 'Right', right: bytes });
  });

  it('read the text that they wrote', () => {
    expect(textCodec.decode(textCodec.encode('größe 💰'))).toEqual({ _tag: 'Right', right: 'größe 💰' });
  });
});
