import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import {
  between,
  ByteSize,
  Duration,
  integerIn,
  nonEmptyList,
  numberIn,
  oneOf,
} from '../../src/config/values.ts';

const decoded = (codec: t.Mixed, value: unknown): unknown => {
  const result = codec.decode(value) as { right?: unknown };
  return result.right;
};

describe('values', () => {
  it.each([
    [Duration, '24h', 86_400_000],
    [Duration, '0s', 0],
    [Duration, 24, undefined],
    [Duration, '7 days', undefined],
    [Duration, `${'9'.repeat(400)}d`, undefined],
    [ByteSize, '512KB', 524_288],
    [ByteSize, 512, undefined],
    [integerIn(1, 3), 3, 3],
    [integerIn(1, 3), 4, undefined],
    [integerIn(1, 3), 1.5, undefined],
    [integerIn(1, 3), '2', undefined],
    [numberIn(0, 1), 0.5, 0.5],
    [numberIn(0, 1), NaN, undefined],
    [numberIn(0, Infinity), Infinity, undefined],
    [oneOf('a', 'b'), 'b', 'b'],
    [oneOf('a', 'b'), 'toString', undefined],
    [between(Duration, '1s', '1m'), '1m', 60_000],
    [between(Duration, '1s', '1m'), '61s', undefined],
    [nonEmptyList(t.number), [1], [1]],
    [nonEmptyList(t.number), [], undefined],
  ] as [t.Mixed, unknown, unknown][])('%o reads %j as %j', (codec, written, value) => {
    expect(decoded(codec, written)).toEqual(value);
  });

  it('writes back what it read', () => {
    expect(Duration.encode(86_400_000)).toBe('1d');
    expect(ByteSize.encode(524_288)).toBe('512KB');
    expect(between(Duration, '1s', '1m').encode(1000)).toBe('1s');
  });

  it('refuses bounds that are none', () => {
    expect(() => between(Duration, '1', '2s')).toThrow('1 or 2s is no bound');
  });
});
