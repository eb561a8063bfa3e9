import { describe, expect, it } from 'vitest';
import { closeUpTo, rollUp, seedRollup } from '../../pipelines/bar-rollup.ts';
import { bar, barsFrom, hour, minute, start } from './bars-at-hand.ts';

describe('rollUp', () => {
  it('closes an hour with the bar that ends with it', () => {
    const rollup = seedRollup(hour);
    const closed = barsFrom(
      start,
      Array.from({ length: 60 }, (_, i) => 100 + i),
    ).flatMap(b => rollUp(rollup, b));
    expect(closed).toEqual([{ end: start + hour, open: 100, high: 159, low: 100, close: 159, volume: 60 }]);
    expect(rollup.growing).toBeNull();
  });

  it('closes an hour whose last minutes are missing with the first bar after it', () => {
    const rollup = seedRollup(hour);
    expect(rollUp(rollup, bar(start + 30 * minute, 5))).toEqual([]);
    const closed = rollUp(rollup, bar(start + hour + minute, 6));
    expect(closed).toEqual([{ end: start + hour, open: 5, high: 5, low: 5, close: 5, volume: 1 }]);
  });

  it('closes two where a bar after a gap is the last of its own hour, and none for hours without bars', () => {
    const rollup = seedRollup(hour);
    rollUp(rollup, bar(start + 30 * minute, 5));
    const closed = rollUp(rollup, bar(start + 5 * hour, 6));
    expect(closed.map(b => [b.end, b.close])).toEqual([
      [start + hour, 5],
      [start + 5 * hour, 6],
    ]);
  });

  it('closes what has ended, and no earlier', () => {
    const rollup = seedRollup(hour);
    rollUp(rollup, bar(start + 30 * minute, 5));
    expect(closeUpTo(rollup, start + hour - 1)).toBeNull();
    expect(closeUpTo(rollup, start + hour)?.close).toBe(5);
    expect(closeUpTo(rollup, start + hour)).toBeNull();
  });
});
