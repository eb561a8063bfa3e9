import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MarketBar } from '../../pipelines/market-bar.ts';
import { scoreBar } from '../../pipelines/momentum-score.ts';
import { defaultMomentumSettings as settings } from '../../pipelines/momentum-settings.ts';
import {
  type MomentumState,
  decodeMomentum,
  encodeMomentum,
  seedMomentum,
} from '../../pipelines/momentum-state.ts';
import { MomentumScore } from '../../pipelines/momentum-value.ts';
import { warmUp } from '../../pipelines/momentum-warm-up.ts';
import { bar, barsFrom, day, hour, minute, start } from './bars-at-hand.ts';

const regime = { label: 'trending_bull', time: start } as const;

function scoresOf(
  bars: readonly MarketBar[],
  state: MomentumState = seedMomentum(settings),
): MomentumScore[] {
  return bars.flatMap(b => scoreBar(state, b, regime, settings) ?? []);
}

/** A wandering price with gaps, the same for the same seed. */
function wanderingBars(seed: number, count: number): MarketBar[] {
  let x = seed >>> 0;
  const next = (): number => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return x / 2 ** 32;
  };
  let price = 100;
  let end = start;
  return Array.from({ length: count }, () => {
    const gap = next();
    end += (gap < 0.97 ? 1 : gap < 0.999 ? 7 : 300) * minute;
    const open = price;
    price *= 1 + (next() - 0.5) * 0.004;
    const high = Math.max(open, price) * (1 + next() * 0.001);
    const low = Math.min(open, price) * (1 - next() * 0.001);
    return bar(end, price, { open, high, low, volume: Math.floor(next() * 50) });
  });
}

describe('scoreBar', () => {
  it('scores a day after the first bar, and every bar from then on', () => {
    // A steady rise of 0.01 % a minute. 1441 bars: the first ends at +1m, so P(t - 24h) is first known at +24h01m.
    const bars = barsFrom(
      start,
      Array.from({ length: 1_450 }, (_, i) => 100 * 1.0001 ** i),
    );
    const scores = scoresOf(bars);
    expect(scores[0]?.time).toBe(start + day + minute);
    expect(scores).toHaveLength(10);
    const [first] = scores;
    expect(first?.parts.returns).toEqual([
      expect.closeTo(1.0001 ** 60 - 1, 12),
      expect.closeTo(1.0001 ** 240 - 1, 12),
      expect.closeTo(1.0001 ** 720 - 1, 12),
      expect.closeTo(1.0001 ** 1440 - 1, 12),
      null,
    ]);
    // R_4h is the same four hours before, up to rounding
    expect(first?.acceleration).toBeCloseTo(0, 12);
    expect(first?.adx).toBeNull();
    expect(first?.rsi).toBeNull();
    expect(first).toMatchObject({ regime: 'trending_bull', regimeTime: start, price: bars[1_440]?.close });
  });

  it('knows a return through a close up to five minutes older', () => {
    const bars = barsFrom(
      start,
      Array.from({ length: 1_450 }, (_, i) => 100 + (i % 7)),
    );
    const without = bars.filter(b => b.end <= start + minute || b.end > start + 6 * minute);
    expect(scoresOf(without)[0]?.time).toBe(start + day + minute);
    const more = bars.filter(b => b.end <= start + minute || b.end > start + 7 * minute);
    const times = scoresOf(more).map(s => s.time);
    expect(times).toContain(start + day + 6 * minute);
    expect(times).not.toContain(start + day + 7 * minute);
    expect(times).toContain(start + day + 8 * minute);
  });

  it('ignores a repeated and an older bar, wholly', () => {
    const bars = wanderingBars(1, 2_000);
    const state = seedMomentum(settings);
    const plain = scoresOf(bars);
    const repeated = bars.flatMap((b, i) => [b, { ...b, close: b.low }, bars[Math.max(0, i - 50)] ?? b]);
    expect(scoresOf(repeated, state)).toEqual(plain);
    expect(plain.length).toBeGreaterThan(100);
  });

  it('refuses an unsound bar and keeps its state', () => {
    const bars = wanderingBars(2, 1_600);
    const state = seedMomentum(settings);
    scoresOf(bars.slice(0, 1_500), state);
    const before = JSON.stringify(encodeMomentum(state));
    const broken = { ...(bars[1_500] ?? bar(start, 1)), close: NaN };
    expect(() => scoreBar(state, broken, regime, settings)).toThrow('not finite');
    expect(JSON.stringify(encodeMomentum(state))).toBe(before);
  });

  it('does not look ahead: what follows changes nothing before it', () => {
    const bars = wanderingBars(3, 4_000);
    const whole = scoresOf(bars);
    const changed = bars.map((b, i) => (i < 3_000 ? b : { ...b, high: b.high * 3, close: b.close * 2 }));
    const cut = bars[3_000]?.end ?? 0;
    const before = (all: MomentumScore[]): MomentumScore[] => all.filter(s => s.time < cut);
    expect(before(scoresOf(changed))).toEqual(before(whole));
    expect(before(whole).length).toBeGreaterThan(500);
    expect(scoresOf(changed)).not.toEqual(whole);
  });

  it('does not depend on the unit of price: exactly for powers of two, closely for any factor', () => {
    const bars = wanderingBars(4, 3_000);
    const scores = scoresOf(bars);
    const scaled = (k: number): MomentumScore[] =>
      scoresOf(
        bars.map(b => ({ ...b, open: b.open * k, high: b.high * k, low: b.low * k, close: b.close * k })),
      );
    expect(scaled(1024).map(s => s.score)).toEqual(scores.map(s => s.score));
    scaled(0.000_37).forEach((s, i) => {
      expect(s.score).toBeCloseTo(scores[i]?.score ?? NaN, 6);
      expect(s.rsi ?? 0).toBeCloseTo(scores[i]?.rsi ?? 0, 6);
    });
  });

  it('goes on the same after its state was stored and read back, at any moment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 0, max: 2_999 }), (seed, cut) => {
        const bars = wanderingBars(seed, 3_000);
        const state = seedMomentum(settings);
        scoresOf(bars.slice(0, cut), state);
        const stored: unknown = JSON.parse(JSON.stringify(encodeMomentum(state)));
        const restored = decodeMomentum(stored, settings);
        const rest = bars.slice(cut);
        expect(scoresOf(rest, restored)).toEqual(scoresOf(rest, state));
        expect(encodeMomentum(restored)).toEqual(encodeMomentum(state));
      }),
      { numRuns: 15 },
    );
  });

  it('writes scores that survive their codec', () => {
    for (const score of scoresOf(wanderingBars(5, 1_700))) {
      expect(MomentumScore.decode(JSON.parse(JSON.stringify(score)))).toEqual({
        _tag: 'Right',
        right: score,
      });
    }
  });
});

describe('decodeMomentum', () => {
  const other = { ...settings, indicators: { ...settings.indicators, atrBars: 20 } };

  it('refuses a state of other settings or another shape, and says what to do', () => {
    const stored = encodeMomentum(seedMomentum(settings));
    expect(() => decodeMomentum(stored, other)).toThrow('built with other indicator settings. Reset it');
    expect(() => decodeMomentum({ ...(stored as object), lastEnd: 'x' }, settings)).toThrow(/at lastEnd/);
    expect(() => decodeMomentum(null, settings)).toThrow('momentum state is refused');
    const short = { ...(stored as object), history: { staleMinutes: 5, lastMinute: null, closes: '' } };
    expect(() => decodeMomentum(short, settings)).toThrow('a ring has another length');
  });
});

describe('warmUp', () => {
  it('says what is missing and how far the symbol has come', () => {
    const state = seedMomentum(settings);
    expect(warmUp(state, start)).toMatchObject({ known: 0, needed: 5, progress: 0 });
    scoresOf(
      barsFrom(
        start,
        Array.from({ length: 361 }, (_, i) => 100 + (i % 3)),
      ),
      state,
    );
    const half = warmUp(state, start + 361 * minute);
    expect(half).toMatchObject({ known: 2, needed: 5, missing: ['R_12h', 'R_24h', 'ATR'] });
    expect(half.progress).toBeCloseTo(6 / 24, 12); // 6 of 24 hours; 6 of 14 bars
    scoresOf(
      barsFrom(
        start + 361 * minute,
        Array.from({ length: 1_080 }, (_, i) => 100 + (i % 3)),
      ),
      state,
    );
    expect(warmUp(state, start + 24 * hour + minute)).toEqual({
      known: 5,
      needed: 5,
      missing: [],
      progress: 1,
    });
  });
});
