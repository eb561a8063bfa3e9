import { describe, expect, it } from 'vitest';
import { addToHurst, hurstExponent, seedHurst } from '../../../pipelines/indicators/hurst.ts';
import { addToVadr, seedVadr, vadrOf } from '../../../pipelines/indicators/vadr.ts';

describe('VADR', () => {
  const after = (activities: readonly number[]): number | null => {
    const vadr = seedVadr(2);
    for (const volume of activities) addToVadr(vadr, { end: 0, open: 1, high: 3, low: 2, close: 3, volume });
    return vadrOf(vadr);
  };

  it('compares the last bar with the mean of those before it', () => {
    expect(after([10, 20])).toBeNull();
    expect(after([10, 20, 45])).toBe(3); // 45 / 15
    expect(after([10, 20, 40, 15])).toBe(0.5); // 15 / 30
  });

  it('is frozen where those before it did nothing', () => {
    expect(after([0, 0, 45])).toBeNull();
    expect(after([10, 20, 0])).toBe(0);
  });
});

describe('Hurst exponent', () => {
  it('is the slope between two lags, worked out by hand', () => {
    // logs 0 1 1 3: lag 1 differences 1 0 2: mean 1, variance 2/3; lag 2: 1 2: mean 1.5, variance 1/4
    const slope = (0.5 * Math.log(1 / 4) - 0.5 * Math.log(2 / 3)) / Math.log(2);
    expect(hurstExponent([0, 1, 1, 3], { bars: 4, lagFrom: 1, lagTo: 2 })).toBeCloseTo(slope, 12);
  });

  it('is 1 for a move that never turns, by its own growth', () => {
    // x = i^2: lagged differences 2 i lag + lag^2 deviate in proportion to the lag, save for the shrinking span
    const logs = Array.from({ length: 5_000 }, (_, i) => i * i);
    expect(hurstExponent(logs, { bars: 5_000, lagFrom: 2, lagTo: 20 })).toBeCloseTo(1, 2);
  });

  it('is near 0 for a series that always turns back', () => {
    const logs = Array.from({ length: 2_000 }, (_, i) => Math.sin(i * i));
    expect(Math.abs(hurstExponent(logs, { bars: 2_000, lagFrom: 2, lagTo: 20 }) ?? 1)).toBeLessThan(0.05);
  });

  it('is unknown with too few closes, and where nothing moved', () => {
    const hurst = seedHurst();
    const settings = { bars: 5, lagFrom: 1, lagTo: 2 };
    const seen = [1, 3, 2, 5, 4, 6].map(close => {
      addToHurst(hurst, close, settings);
      return hurst.value === null;
    });
    expect(seen).toEqual([true, true, true, true, false, false]);
    expect(hurst.logs).toHaveLength(5);
    for (let i = 0; i < 5; i++) addToHurst(hurst, 7, settings);
    expect(hurst.value).toBeNull();
  });
});
