import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar } from '../../../src/cli/view/bar.ts';
import { clipText, displayWidth, safeText, wrapText } from '../../../src/cli/view/display-width.ts';
import { lineWidth } from '../../../src/cli/view/line.ts';
import { compact, lengthOfTime, stopWatch } from '../../../src/cli/view/readable.ts';

describe('text for a terminal', () => {
  it('loses escape sequences, control characters and marks that turn the reading direction', () => {
    expect(safeText('a\u001B[31mred\u001B[0m\u0007\u202Eb\u200Bc')).toBe('aredbc');
    expect(safeText('one\r\n\ttwo')).toBe('one two');
    expect(safeText('\uD800x')).toBe('\uFFFDx');
  });

  it('is measured in cells: wide letters and emoji take two, marks none', () => {
    expect(['abc', '比特', '🚀', 'e\u0301', 'ﾊ'].map(displayWidth)).toEqual([3, 4, 2, 1, 1]);
  });

  it('is cut with an ellipsis and never in the middle of a wide letter', () => {
    expect(clipText('momentum', 5)).toBe('mome…');
    expect(clipText('比特币', 4)).toBe('比…');
    expect(clipText('abc', 0)).toBe('');
  });

  it('wraps within its width and loses no letter', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 80 }).map(safeText);
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 30 }), (text, width) => {
        const lines = wrapText(text, width);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});

describe('numbers for people', () => {
  it('fit in few cells', () => {
    const values = [0, 0.4, 812, 8_120, 84_312, 999_499, 1_204_881, 2.5e9];
    expect(values.map(compact)).toEqual(['0', '0.4', '812', '8,120', '84.3k', '999k', '1.2M', '2.5G']);
    expect([undefined, NaN, Infinity].map(compact)).toEqual(['-', '-', '-']);
  });

  it('tell lengths of time', () => {
    const values = [0, 250, 1_200, 59_960, 125_000, 12_000_000, 356_400_000, -1_500];
    expect(values.map(lengthOfTime)).toEqual([
      '0ms',
      '250ms',
      '1.2s',
      '1m 00s',
      '2m 05s',
      '3h 20m',
      '4d 03h',
      '-1.5s',
    ]);
    expect([42_300, 725_000, 8_045_000].map(stopWatch)).toEqual(['0:42', '12:05', '2:14:05']);
  });

  it('fill bars of one width', () => {
    for (const share of [-1, 0, 0.33, 0.999, 1, 7, NaN]) expect(lineWidth(bar(share, 10))).toBe(10);
    expect(bar(0.5, 4)[0]?.text).toBe('██');
  });
});
