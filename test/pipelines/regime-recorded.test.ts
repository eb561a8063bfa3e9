import { describe, expect, it } from 'vitest';
import { defaultRegimeSettings as settings } from '../../pipelines/regime-settings.ts';
import { addRegimeBar, classifyAt, nextBoundary, seedRegime } from '../../pipelines/regime-state.ts';
import { classify } from '../../pipelines/regime-votes.ts';
import { hour } from './bars-at-hand.ts';
import { naiveMeasures } from './naive-regime.ts';
import { noRecordedBars, recordedBars } from './recorded-bars.ts';

describe.skipIf(noRecordedBars !== undefined)(`regime over recorded bars ${noRecordedBars ?? ''}`, () => {
  it('equals the classification computed from scratch, over the halts of 2021-04-20 and 25', () => {
    const symbols = ['BTC-USDT', 'PSG-USDT', 'DOGE-USDT', 'BTG-USDT'].map(s => recordedBars(s, 26 * 1440));
    const state = seedRegime('all');
    const bars = symbols.flat().sort((a, b) => a.end - b.end);
    let boundary = nextBoundary(bars[0]?.end ?? 0);
    let previous = state.label;
    const labels = new Set<string>();
    for (const b of bars) {
      // The watermark is ten minutes behind: some bars past the boundary are always there already.
      while (b.end > boundary + hour / 6) {
        const regime = classifyAt(state, boundary, settings);
        const naive = classify(naiveMeasures(symbols, boundary), previous, settings);
        const { label, confidence, votes, counts } = naive;
        expect(regime).toMatchObject({ label, confidence, votes, counts, time: boundary });
        if (naive.shares.volatility === null) expect(regime?.shares.volatility).toBeNull();
        else expect(regime?.shares.volatility).toBeCloseTo(naive.shares.volatility, 9);
        expect(regime?.shares.breadth).toBe(naive.shares.breadth);
        expect(regime?.shares.thrust).toBe(naive.shares.thrust);
        previous = naive.label;
        labels.add(naive.label);
        boundary += 4 * hour;
      }
      addRegimeBar(state, b, settings);
    }
    expect(labels.size).toBeGreaterThanOrEqual(3);
  }, 60_000);
});
