import { describe, expect, it } from 'vitest';
import { defaultRegimeSettings as settings } from '../../pipelines/regime-settings.ts';
import { type Measures, classify, median } from '../../pipelines/regime-votes.ts';

const yes = (count: number, of: number): boolean[] => Array.from({ length: of }, (_, i) => i < count);
const measures = (part: Partial<Measures>): Measures => {
  return { seen: 10, volatility: [], breadth: [], thrust: [], ...part };
};
const calm = Array.from({ length: 10 }, () => 0.1);
const wild = Array.from({ length: 10 }, () => 0.3);

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 10, 2])).toBe(3);
    expect(median([])).toBeNull();
  });
});

describe('classify', () => {
  it('keeps the previous label with confidence 0 where nothing votes', () => {
    expect(classify(measures({ volatility: calm }), 'choppy', settings)).toMatchObject({
      label: 'choppy',
      confidence: 0,
      votes: { volatility: 'abstain', breadth: 'too few', thrust: 'too few' },
    });
    expect(classify(measures({ seen: 0 }), 'unknown', settings)).toMatchObject({
      label: 'unknown',
      confidence: 0,
      shares: { volatility: null, breadth: null, thrust: null },
      counts: { seen: 0, needed: 3, volatility: 0, breadth: 0, thrust: 0 },
    });
  });

  it('lets two votes beat one', () => {
    const both = { volatility: wild, breadth: yes(7, 10), thrust: yes(8, 10) };
    expect(classify(measures(both), 'unknown', settings)).toMatchObject({
      label: 'trending_bull',
      confidence: 2 / 3,
      votes: { volatility: 'high_vol', breadth: 'trending_bull', thrust: 'trending_bull' },
      shares: { volatility: 0.3, breadth: 0.7, thrust: 0.8 },
    });
  });

  it('gives a tie to the more careful', () => {
    const all = { volatility: wild, breadth: yes(2, 10), thrust: yes(8, 10) };
    expect(classify(measures(all), 'unknown', settings)).toMatchObject({
      label: 'high_vol',
      confidence: 1 / 3,
    });
    const two = { volatility: calm, breadth: yes(2, 10), thrust: yes(8, 10) };
    expect(classify(measures(two), 'unknown', settings)).toMatchObject({
      label: 'choppy',
      confidence: 1 / 2,
    });
  });

  it('wants more than the threshold, not just it', () => {
    const at = {
      volatility: Array.from({ length: 10 }, () => 0.25),
      breadth: yes(6, 10),
      thrust: yes(7, 10),
    };
    expect(classify(measures(at), 'unknown', settings).votes).toEqual({
      volatility: 'abstain',
      breadth: 'choppy',
      thrust: 'abstain',
    });
  });

  it('needs three symbols and half of the seen, rounded up', () => {
    const votesOf = (seen: number, known: number): string =>
      classify(measures({ seen, breadth: yes(0, known) }), 'unknown', settings).votes.breadth;
    expect([votesOf(2, 2), votesOf(3, 3), votesOf(7, 3), votesOf(7, 4), votesOf(8, 4)]).toEqual([
      'too few',
      'choppy',
      'too few',
      'choppy',
      'choppy',
    ]);
  });
});
