import { describe, expect, it } from 'vitest';
import { MarketBar, requireMinuteBar } from '../../pipelines/market-bar.ts';
import { bar, start } from './bars-at-hand.ts';

describe('requireMinuteBar', () => {
  it('accepts a sound bar', () => {
    expect(() => requireMinuteBar(bar(start, 10, { high: 12, low: 9 }))).not.toThrow();
  });

  it.each([
    ['another interval', { intervalMs: 300_000 }, 'intervalMs is 300000, expected 60000'],
    ['an end inside a minute', { end: start + 1 }, 'is not the end of a minute'],
    ['a price of zero', { low: 0 }, 'not finite or not above 0'],
    ['a price that is no number', { close: NaN }, 'not finite or not above 0'],
    ['an endless price', { high: Infinity }, 'not finite or not above 0'],
    ['high below low', { high: 9, low: 11 }, 'outside of low to high'],
    ['negative volume', { volume: -1 }, 'volume is -1'],
    ['volume that is no number', { volume: NaN }, 'volume is NaN'],
  ])('refuses %s and says so', (_, flaw, words) => {
    expect(() => requireMinuteBar(bar(start, 10, flaw))).toThrow(RangeError);
    expect(() => requireMinuteBar(bar(start, 10, flaw))).toThrow(words);
  });
});

describe('MarketBar', () => {
  it('survives JSON', () => {
    const value = bar(start, 10.5, { volume: 3, closedBy: { time: start + 5, price: 11 } });
    expect(MarketBar.decode(JSON.parse(JSON.stringify(value)))).toEqual({ _tag: 'Right', right: value });
  });
});
