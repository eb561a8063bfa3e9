import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MarketBar } from '../../pipelines/market-bar.ts';
import { defaultRegimeSettings as settings } from '../../pipelines/regime-settings.ts';
import {
  addRegimeBar,
  classifyAt,
  decodeRegime,
  encodeRegime,
  nextBoundary,
  seedRegime,
} from '../../pipelines/regime-state.ts';
import { Regime } from '../../pipelines/regime-value.ts';
import { bar, day, hour, minute, start } from './bars-at-hand.ts';

const four = 4 * hour;

/** Bars of one symbol, one every `step`, whose closes follow `closeAt`. */
function symbolBars(
  symbol: string,
  closeAt: (i: number) => number,
  count: number,
  step = 5 * minute,
): MarketBar[] {
  return Array.from({ length: count }, (_, i) => bar(start + (i + 1) * step, closeAt(i), { symbol }));
}

/** Five symbols over nine days; three rise, two wave. */
const universe: readonly MarketBar[][] = [0, 1, 2, 3, 4].map(n =>
  symbolBars(
    `S${n}-USDT`,
    i => (n < 3 ? 100 + i * 0.01 + Math.sin(i * (n + 1)) : 100 + 5 * Math.sin(i / 300 + n)),
    (9 * day) / (5 * minute),
  ),
);

function regimesOf(bars: readonly MarketBar[], boundaries: readonly number[], lead = 0): Regime[] {
  const state = seedRegime('all');
  const waiting = [...bars];
  return boundaries.flatMap(boundary => {
    const due = waiting.findIndex(b => b.end > boundary + lead);
    for (const b of waiting.splice(0, due < 0 ? waiting.length : due)) addRegimeBar(state, b, settings);
    return classifyAt(state, boundary, settings) ?? [];
  });
}

const byTime = universe.flat().sort((a, b) => a.end - b.end);
const boundaries = Array.from({ length: 54 }, (_, i) => start + (i + 1) * four);

describe('classifyAt', () => {
  it('waits for enough of everything: thrust after a day, volatility after 48 returns, breadth after 20 closes', () => {
    const regimes = regimesOf(byTime, boundaries);
    const firstOf = (measure: 'volatility' | 'breadth' | 'thrust'): number | undefined =>
      regimes.find(r => r.votes[measure] !== 'too few')?.time;
    // P is known at start + 5m at the earliest, so P(t - 24h) at the boundary after: 4h + 24h
    expect(firstOf('thrust')).toBe(start + four + day);
    expect(firstOf('volatility')).toBe(start + 52 * hour); // 49 hours end by then, at the boundary after hour 49
    expect(firstOf('breadth')).toBe(start + 20 * four);
    expect(regimes[0]).toMatchObject({ label: 'unknown', confidence: 0, counts: { seen: 5, needed: 3 } });
  });

  it('does not look ahead, however far bars run before the boundary is asked for', () => {
    const punctual = regimesOf(byTime, boundaries);
    expect(regimesOf(byTime, boundaries, minute * 30)).toEqual(punctual);
    expect(regimesOf(byTime, boundaries, 9 * day)).toEqual(punctual);
    expect(new Set(punctual.map(r => r.label)).size).toBeGreaterThan(1);
  });

  it('is the same whatever the order across symbols', () => {
    const punctual = regimesOf(byTime, boundaries);
    const state = seedRegime('all');
    for (const bars of universe.toReversed()) for (const b of bars) addRegimeBar(state, b, settings);
    expect(boundaries.map(b => classifyAt(state, b, settings))).toEqual(punctual);
  });

  it('answers each boundary once, and only boundaries', () => {
    const state = seedRegime('all');
    expect(classifyAt(state, start, settings)).toMatchObject({ time: start, universe: 'all' });
    expect(classifyAt(state, start, settings)).toBeUndefined();
    expect(classifyAt(state, start - four, settings)).toBeUndefined();
    expect(() => classifyAt(state, start + 1, settings)).toThrow('no 4h boundary');
    expect([nextBoundary(start), nextBoundary(start + 1)]).toEqual([start, start + four]);
  });

  it('ignores repetitions, and forgets who was not seen for a day', () => {
    const state = seedRegime('all');
    const b = bar(start, 10);
    expect(addRegimeBar(state, b, settings)).toBe(true);
    expect(addRegimeBar(state, b, settings)).toBe(false);
    const seenAt = (t: number): number | undefined => classifyAt(state, t, settings)?.counts.seen;
    expect([seenAt(start), seenAt(start + day), seenAt(start + day + four)]).toEqual([1, 1, 0]);
  });

  it('counts a price as unknown when its bar ended more than five minutes before the boundary', () => {
    const counted = (age: number): number | undefined => {
      const state = seedRegime('all');
      for (const t of [start, start + day]) addRegimeBar(state, bar(t - age, 10 + t / start), settings);
      return classifyAt(state, start + day, settings)?.counts.thrust;
    };
    expect([counted(0), counted(5 * minute), counted(6 * minute)]).toEqual([1, 1, 0]);
  });

  it('keeps symbols of different venues apart, and refuses one too many', () => {
    const state = seedRegime('all');
    const two = { ...settings, maxSymbols: 2 };
    addRegimeBar(state, bar(start, 10), two);
    addRegimeBar(state, bar(start, 10, { venue: 'kraken' }), two);
    expect(() => addRegimeBar(state, bar(start, 10, { venue: 'okx' }), two)).toThrow('Raise maxSymbols');
    expect(classifyAt(state, start, two)?.counts.seen).toBe(2);
  });

  it('goes on the same after its state was stored and read back, at any moment', () => {
    const bars = byTime.filter(b => b.end <= start + 5 * day);
    fc.assert(
      fc.property(fc.nat(bars.length), cut => {
        const at = bars[cut]?.end ?? 0;
        const [done, open] = [boundaries.filter(b => b < at), boundaries.filter(b => b >= at)];
        const state = seedRegime('all');
        for (const b of bars.slice(0, cut)) addRegimeBar(state, b, settings);
        for (const b of done) classifyAt(state, b, settings);
        const restored = decodeRegime(JSON.parse(JSON.stringify(encodeRegime(state))));
        for (const s of [state, restored]) for (const b of bars.slice(cut)) addRegimeBar(s, b, settings);
        const rest = open.map(b => classifyAt(restored, b, settings));
        expect(rest).toEqual(open.map(b => classifyAt(state, b, settings)));
        for (const r of rest)
          expect(Regime.decode(JSON.parse(JSON.stringify(r)))).toEqual({ _tag: 'Right', right: r });
      }),
      { numRuns: 15 },
    );
    expect(() => decodeRegime({ universe: 'all' })).toThrow('regime state is refused');
  });
});
