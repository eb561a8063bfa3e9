import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/core/durations.ts';

describe('durations and sizes', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['7 d', 604_800_000],
    [' 5s ', 5000],
    ['0ms', 0],
  ])('reads the duration %j', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '5',
    's',
    '-5s',
    '5 weeks',
    '5S',
    '5s5',
    '1e3ms',
    '.5s',
    'NaNs',
    '5toString',
    '5__proto__',
    '5KB',
  ])('reads no duration in %j', text => expect(parseDuration(text)).toBeUndefined());

  it.each([
    ['512KB', 524_288],
    ['1.5MB', 1_572_864],
    ['0B', 0],
    ['2GB', 2_147_483_648],
  ])('reads the size %j', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it('writes the shortest exact text', () => {
    expect([
      formatDuration(86_400_000),
      formatDuration(90_000),
      formatDuration(1),
      formatDuration(0),
    ]).toEqual(['1d', '90s', '1ms', '0ms']);
    expect([formatSize(524_288), formatSize(1000)]).toEqual(['512KB', '1000B']);
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.nat(1e12), n => {
        expect(parseDuration(formatDuration(n))).toBe(n);
        expect(parseSize(formatSize(n))).toBe(n);
      }),
    );
  });
});
