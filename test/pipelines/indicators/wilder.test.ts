import { describe, expect, it } from 'vitest';
import type { PlainBar } from '../../../pipelines/bar-rollup.ts';
import { addToAdx, adxOf, seedAdx } from '../../../pipelines/indicators/wilder-adx.ts';
import { addToAtr, atrOf, seedAtr, trueRange } from '../../../pipelines/indicators/wilder-atr.ts';
import { addToRsi, rsiOf, seedRsi } from '../../../pipelines/indicators/wilder-rsi.ts';

const plain = (high: number, low: number, close: number): PlainBar => {
  return { end: 0, open: close, high, low, close, volume: 1 };
};

describe('Wilder ATR', () => {
  it('takes the gap to the close before into the range', () => {
    expect(trueRange(plain(12, 10, 11), null)).toBe(2);
    expect(trueRange(plain(12, 10, 11), 15)).toBe(5); // 15 - 10
    expect(trueRange(plain(12, 10, 11), 7)).toBe(5); // 12 - 7
  });

  it('starts with the mean of `period` ranges and smooths from there', () => {
    const atr = seedAtr(3);
    addToAtr(atr, plain(12, 10, 11)); // range 2, high - low
    addToAtr(atr, plain(14, 11, 13)); // range 3
    expect(atrOf(atr)).toBeNull();
    addToAtr(atr, plain(13, 12, 12)); // range 1
    expect(atrOf(atr)).toBe(2); // (2 + 3 + 1) / 3
    addToAtr(atr, plain(20, 18, 19)); // range 20 - 12 = 8
    expect(atrOf(atr)).toBe(4); // (2 * 2 + 8) / 3
  });

  it('is unknown where nothing moved', () => {
    const atr = seedAtr(2);
    for (let i = 0; i < 5; i++) addToAtr(atr, plain(10, 10, 10));
    expect(atrOf(atr)).toBeNull();
  });
});

describe('Wilder RSI', () => {
  const rsiAfter = (period: number, closes: readonly number[]): number | null => {
    const rsi = seedRsi(period);
    for (const close of closes) addToRsi(rsi, close);
    return rsiOf(rsi);
  };

  it('needs `period` changes', () => {
    expect(rsiAfter(3, [10, 11, 12])).toBeNull();
    // changes +1 +1 -1: gain 2/3, loss 1/3, 100 - 100 / (1 + 2)
    expect(rsiAfter(3, [10, 11, 12, 11])).toBeCloseTo(200 / 3, 12);
  });

  it('smooths after that', () => {
    // after 2 changes (+2, -1): gain 1, loss 0.5; then +3: gain (1 + 3) / 2 = 2, loss 0.25; 100 - 100 / 9
    expect(rsiAfter(2, [10, 12, 11, 14])).toBeCloseTo(800 / 9, 12);
  });

  it('is 100 without losses, 0 without gains, 50 where nothing moved', () => {
    expect(rsiAfter(2, [10, 11, 11])).toBe(100);
    expect(rsiAfter(2, [10, 9, 9])).toBe(0);
    expect(rsiAfter(2, [10, 10, 10])).toBe(50);
  });
});

describe('Wilder ADX', () => {
  it('is the smoothed share by which one direction outweighs the other', () => {
    const adx = seedAdx(2);
    const bars = [plain(10, 8, 9), plain(12, 9, 11), plain(11, 7, 8), plain(12, 8, 9), plain(16, 8, 15)];
    const seen = bars.map(b => {
      addToAdx(adx, b);
      return adxOf(adx);
    });
    // 2: up 2, down -1: +DM 2.            sums 2 / 0
    // 3: up -1, down 2: -DM 2.            sums 2 / 2, DX 0
    // 4: up 1, down -1: +DM 1.            sums 2/2 + 1 = 2, 2/2 = 1: DX 100 * 1/3; first ADX (0 + 33.3) / 2
    // 5: up 4, down 0: +DM 4.             sums 2/2 + 4 = 5, 0.5: DX 100 * 4.5/5.5; ADX (16.7 + 81.8) / 2
    expect(seen.slice(0, 3)).toEqual([null, null, null]);
    expect(seen[3]).toBeCloseTo(100 / 6, 12);
    expect(seen[4]).toBeCloseTo((100 / 6 + 100 * (4.5 / 5.5)) / 2, 12);
  });

  it('counts DX as 0 where nothing moves, and takes neither direction where both reach equally far', () => {
    const adx = seedAdx(2);
    for (let i = 0; i < 4; i++) addToAdx(adx, plain(10 + i, 8 - i, 9));
    expect(adxOf(adx)).toBe(0);
  });

  it('is 100 where every bar goes one way', () => {
    const adx = seedAdx(14);
    for (let i = 0; i < 28; i++) {
      expect(adxOf(adx)).toBeNull();
      addToAdx(adx, plain(10 + i, 8 + i, 9 + i));
    }
    expect(adxOf(adx)).toBeCloseTo(100, 10);
  });
});
