import { describe, expect, it } from 'vitest';
import { inWords, percentInWords, priceInWords } from '../../pipelines/number-words.ts';

describe('numbers in words', () => {
  it.each([
    [0, '0'],
    [1.5, '1.5'],
    [-1.005, '-1'],
    [-0.001, '0'],
    [9_999.999, '10,000'],
    [1_234, '1234'],
    [12_345_678.9, '12,345,678.9'],
    [1e21, '1e+21'],
  ])('%s is %s', (value, text) => {
    expect(inWords(value)).toBe(text);
  });

  it('keeps six digits of a price, and percent of a share', () => {
    expect([57_123.456, 0.000_012_345_67, 1].map(priceInWords)).toEqual(['57123.5', '0.0000123457', '1']);
    expect([0.0512, -0.1].map(percentInWords)).toEqual(['5.12 %', '-10 %']);
  });
});
