import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToHistory,
  priceAt,
  returnOver,
  seedHistory,
} from '../../../pipelines/indicators/close-history.ts';
import { addToDay, daySum, seedDayVolume } from '../../../pipelines/indicators/day-volume.ts';
import { minute, start } from '../bars-at-hand.ts';

describe('close history', () => {
  it('answers with the last close at or before, up to five minutes old', () => {
    const history = seedHistory(60, 5);
    expect(priceAt(history, start)).toBeNull();
    addToHistory(history, start, 10);
    addToHistory(history, start + 9 * minute, 11);
    expect(priceAt(history, start - 1)).toBeNull();
    expect(priceAt(history, start)).toBe(10);
    expect(priceAt(history, start + 5 * minute)).toBe(10);
    expect(priceAt(history, start + 5 * minute + 1)).toBeNull();
    expect(priceAt(history, start + 9 * minute - 1)).toBeNull();
    expect(priceAt(history, start + 14 * minute)).toBe(11);
    expect(priceAt(history, start + 15 * minute)).toBeNull();
    expect(returnOver(history, start + 9 * minute, 9 * minute)).toBeCloseTo(0.1, 12);
    expect(returnOver(history, start + 9 * minute, 10 * minute)).toBeNull();
  });

  it('reaches exactly as far back as it was asked to, and never reads a newer close for an older time', () => {
    const history = seedHistory(30, 5);
    addToHistory(history, start - minute, 9);
    addToHistory(history, start, 10);
    addToHistory(history, start + 35 * minute, 11);
    // 30 minutes back, answered by the close five minutes before that
    expect(priceAt(history, start + 5 * minute)).toBe(10);
    expect(priceAt(history, start - minute)).toBeNull();
  });

  it('equals a search through all closes, over gaps of any length', () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 90 })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(gaps, all => {
        const history = seedHistory(30, 5);
        const closes: { end: number; close: number }[] = [];
        let end = start;
        for (const gap of all) {
          end += gap * minute;
          closes.push({ end, close: closes.length + 1 });
          addToHistory(history, end, closes.length);
        }
        for (let t = end - 30 * minute; t <= end + 7 * minute; t += minute / 2) {
          const last = closes.findLast(c => c.end <= t);
          const expected = last !== undefined && t - last.end <= 5 * minute ? last.close : null;
          expect(priceAt(history, t)).toBe(expected);
        }
      }),
    );
  });
});

describe('day volume', () => {
  it('equals the sum over the minutes of the last day, over gaps of any length', () => {
    const step = fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 4_000 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(1_000)), { minLength: 1, maxLength: 200 }), all => {
        const volumes = seedDayVolume();
        const seen: { end: number; value: number }[] = [];
        let end = start;
        for (const [gap, value] of all) {
          end += gap * minute;
          seen.push({ end, value });
          addToDay(volumes, end, value);
          const inDay = seen.filter(v => v.end > end - 1440 * minute);
          expect(daySum(volumes)).toBe(inDay.reduce((sum, v) => sum + v.value, 0));
        }
      }),
    );
  });

  it('is 0 before the first value', () => {
    expect(daySum(seedDayVolume())).toBe(0);
  });
});
