import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Marker } from '../../src/index.ts';
import { MergedMarks, recordOf } from '../../src/runtime/merged-marks.ts';

const time = (at: number, ...covered: number[]): Marker =>
  new Marker('time', at, undefined, covered.length === 0 ? undefined : { covered, of: 3 });
const end = (...covered: number[]): Marker => new Marker('end', 100, undefined, { covered, of: 3 });

describe('marks of several writers', () => {
  it('come as far as the one that is furthest behind', () => {
    const marks = new MergedMarks();
    expect([time(10, 0), time(20, 1)].map(marker => marks.take(marker))).toEqual([false, false]);
    expect(marks.merged).toBeUndefined();
    expect(marks.take(time(15, 2))).toBe(true);
    expect(marks.merged?.time).toBe(10);
    expect(marks.take(time(30, 1, 2))).toBe(false);
    expect(marks.take(time(25, 0))).toBe(true);
    expect(marks.merged?.time).toBe(25);
  });

  it('end when all have ended, and go on when one begins again', () => {
    const marks = new MergedMarks();
    for (const marker of [end(0), end(1, 2)]) marks.take(marker);
    expect(marks.merged?.kind).toBe('end');
    expect(marks.take(time(200, 1))).toBe(true);
    expect(marks.merged).toMatchObject({ kind: 'time', time: 200 });
  });

  it('take one that speaks for everybody as it is, and whoever says more from there', () => {
    const marks = new MergedMarks();
    marks.take(time(10, 0));
    expect(marks.take(time(50))).toBe(true);
    expect(marks.take(time(60, 0, 1))).toBe(false);
    expect(marks.take(time(70, 2))).toBe(true);
    expect(marks.merged?.time).toBe(60);
  });

  // Kills: a writer that was replaced taking back what its successor has said; parts forgotten over a restart.
  it('never go back, whoever says what again, and are the same after any restart', () => {
    const said = fc.record({ part: fc.nat(2), at: fc.integer({ min: 1, max: 50 }), restart: fc.boolean() });
    fc.assert(
      fc.property(fc.array(said, { maxLength: 60 }), all => {
        const furthest = [0, 0, 0];
        let marks = new MergedMarks();
        for (const { part, at, restart } of all) {
          const before = marks.merged?.time ?? 0;
          marks.take(time(at, part));
          furthest[part] = Math.max(furthest[part] ?? 0, at);
          const least = Math.min(...furthest);
          expect(marks.merged?.time ?? 0).toBe(least);
          expect(least).toBeGreaterThanOrEqual(before);
          if (restart && marks.merged) marks = MergedMarks.restore(recordOf(marks.merged, marks.parts));
        }
      }),
    );
  });
});
