import { describe, expect, it } from 'vitest';
import type { MarketBar } from '../../pipelines/market-bar.ts';
import { scoreBar } from '../../pipelines/momentum-score.ts';
import { defaultMomentumSettings as settings } from '../../pipelines/momentum-settings.ts';
import { seedMomentum } from '../../pipelines/momentum-state.ts';
import type { MomentumScore } from '../../pipelines/momentum-value.ts';
import type { RegimeLabel } from '../../pipelines/regime-label.ts';
import { hour, minute } from './bars-at-hand.ts';
import { naiveScore } from './naive-momentum.ts';
import { noRecordedBars, recordedBars } from './recorded-bars.ts';

const labels: readonly RegimeLabel[] = ['trending_bull', 'choppy', 'high_vol', 'unknown'];

/** Which bars are computed again from scratch: some of everything, both sides of each 4h boundary at times. */
function isSampled(b: MarketBar, i: number): boolean {
  const intoFourHours = b.end % (4 * hour);
  return i % 397 === 0 || (i % 5 === 0 && intoFourHours === 0) || (i % 7 === 0 && intoFourHours === minute);
}

function asNaive(score: MomentumScore): Record<string, unknown> {
  const { time, price, acceleration, boost, atr, rsi, adx, vadr, hurst, dailyVolume, parts } = score;
  return {
    time,
    price,
    score: score.score,
    ...parts,
    acceleration,
    boost,
    atr,
    rsi,
    adx,
    vadr,
    hurst,
    dailyVolume,
  };
}

function expectClose(actual: unknown, expected: unknown, at: string): void {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    expected.forEach((e, i) => expectClose(actual[i], e, `${at}[${i}]`));
  } else if (typeof expected === 'number' && typeof actual === 'number') {
    const error = Math.abs(actual - expected) / Math.max(1e-6, Math.abs(expected));
    expect(error, `${at}: ${actual} instead of ${expected}`).toBeLessThan(1e-7);
  } else expect(actual, at).toBe(expected);
}

describe.skipIf(noRecordedBars !== undefined)(`momentum over recorded bars ${noRecordedBars ?? ''}`, () => {
  // 19 to 20 days: over the halt of 2021-04-20, the 7d return, and PSG's minutes without volume.
  it.each(['BTC-USDT', 'PSG-USDT', 'DOGE-USDT'])(
    '%s: incremental equals computed from scratch',
    symbol => {
      const bars = recordedBars(symbol, 19.5 * 1440);
      const state = seedMomentum(settings);
      let compared = 0;
      bars.forEach((b, i) => {
        const label = labels[Math.floor(b.end / (4 * hour)) % 4] ?? 'unknown';
        const score = scoreBar(state, b, { label, time: null }, settings);
        if (!isSampled(b, i)) return;
        const naive = naiveScore(bars.slice(0, i + 1), label);
        expect(score === undefined, `score at ${b.end}`).toBe(naive === undefined);
        if (score === undefined || naive === undefined) return;
        const actual = asNaive(score);
        for (const [field, value] of Object.entries(naive))
          expectClose(actual[field], value, `${b.end} ${field}`);
        compared += 1;
      });
      expect(compared).toBeGreaterThan(50);
    },
    60_000,
  );
});
