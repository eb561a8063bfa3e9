import * as t from 'io-ts';
import { describe, expect, it, vi } from 'vitest';
import { CodecError, jsonCodec } from '../../src/core/codec.ts';
import { later } from '../../src/core/later.ts';

const codec = jsonCodec(t.type({ price: t.number }), { name: 'Tick' });

describe('later', () => {
  it('decodes when it is asked, and once', () => {
    const decode = vi.spyOn(codec, 'decode');
    const decoded = later({ codec }).codec.decode(Buffer.from('{"price":1}'));
    if (decoded._tag === 'Left') throw decoded.left;
    expect(decode).not.toHaveBeenCalled();
    expect(decoded.right.value).toEqual({ price: 1 });
    expect(decoded.right.value).toBe(decoded.right.value);
    expect(decode).toHaveBeenCalledTimes(1);
  });

  it('throws each time it is asked for what is no value', () => {
    const decoded = later({ codec }).codec.decode(Buffer.from('{"price":"1"}'));
    if (decoded._tag === 'Left') throw decoded.left;
    const { right } = decoded;
    expect(() => right.value).toThrow(CodecError);
    expect(() => right.value).toThrow(CodecError);
  });

  it('is written as the bytes that it came as', () => {
    const bytes = Buffer.from('{"price":  1}');
    const { codec: late } = later({ codec });
    const decoded = late.decode(bytes);
    expect(decoded._tag === 'Right' && late.encode(decoded.right)).toBe(bytes);
  });
});
