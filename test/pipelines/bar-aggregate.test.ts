import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BarUpdate,
  addToBar,
  closeBar,
  openBar,
  updateOfPrice,
  updateOfTrade,
} from '../../pipelines/bar-aggregate.ts';
import { windowEnd } from '../../pipelines/bar-window.ts';
import { minute, start } from './bars-at-hand.ts';

const window = { venue: 'kraken', symbol: 'XRP-USDT', intervalMs: minute, end: start + minute };
const tick = (time: number, price: number): BarUpdate =>
  updateOfPrice({ venue: 'kraken', symbol: 'XRP-USDT', price, time });

function barOf(updates: readonly (readonly [BarUpdate, number])[]): ReturnType<typeof closeBar> {
  const [[first, offset], ...rest] = updates as [(typeof updates)[number], ...(typeof updates)[number][]];
  const aggregate = openBar(first, offset);
  for (const [update, at] of rest) addToBar(aggregate, update, at);
  return closeBar(aggregate, window, { time: start + minute + 1, price: 9 });
}

describe('windowEnd', () => {
  it('holds start < time <= end', () => {
    expect(windowEnd(start, minute)).toBe(start);
    expect(windowEnd(start + 1, minute)).toBe(start + minute);
    expect(windowEnd(start + minute, minute)).toBe(start + minute);
  });
});

describe('bar aggregate', () => {
  it('opens with the least and closes with the greatest (time, offset), in whatever order they come', () => {
    const updates: [BarUpdate, number][] = [
      [tick(start + 10, 5), 0],
      [tick(start + 50, 7), 3],
      [tick(start + 50, 6), 2],
      [tick(start + 5, 8), 4],
      [tick(start + 5, 3), 5],
    ];
    const { open, high, low, close, volume, closedBy } = barOf(updates);
    expect({ open, high, low, close, volume }).toEqual({ open: 8, high: 8, low: 3, close: 7, volume: 0 });
    expect(closedBy).toEqual({ time: start + minute + 1, price: 9 });
  });

  it('takes open, high, low and volume of an update that sums up an interval', () => {
    const summary = {
      venue: 'b',
      symbol: 'A-B',
      price: 10,
      open: 9,
      high: 12,
      low: 8,
      volume: 4,
      time: start,
    };
    expect(barOf([[updateOfPrice({ ...summary, intervalMs: minute }), 0]])).toMatchObject({
      open: 9,
      high: 12,
      low: 8,
      close: 10,
      volume: 4,
    });
    expect(barOf([[updateOfPrice(summary), 0]])).toMatchObject({ open: 10, high: 10, low: 10, volume: 0 });
  });

  it('sums the sizes of trades', () => {
    const trade = { venue: 'b', symbol: 'A-B', price: 10, size: 2.5, side: 'buy', time: start } as const;
    const bar = barOf([
      [updateOfTrade(trade), 0],
      [updateOfTrade({ ...trade, price: 11, time: start + 1 }), 1],
    ]);
    expect(bar).toMatchObject({ open: 10, high: 11, low: 10, close: 11, volume: 5 });
  });

  it('is the same for every order of arrival', () => {
    const updates = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100 }), fc.nat(50)),
      { minLength: 1, maxLength: 20, selector: ([, , offset]) => offset },
    );
    const shuffled = updates.chain(all =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    const build = (all: readonly [number, number, number][]) =>
      barOf(all.map(([time, price, offset]) => [tick(start + time, price), offset] as const));
    fc.assert(
      fc.property(shuffled, ([inOrder, mixed]) => {
        expect(build(mixed)).toEqual(build(inOrder));
      }),
    );
  });
});
