import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeedItem } from '../../src/feeds/feed.ts';
import { MarketPrice, MarketTrade, OrderBook } from '../../src/feeds/market-data.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5);
const MINUTES = 14_400;
const items: FeedItem[] = [];
const prices: MarketPrice[] = [];
const trades: MarketTrade[] = [];
const books: OrderBook[] = [];

beforeAll(async () => {
  for await (const batch of simulatorFeed().read(null, new AbortController().signal)) {
    items.push(...batch.items);
  }
  for (const item of items) {
    if (item.kind === 'price') prices.push(item.value);
    if (item.kind === 'trade') trades.push(item.value);
    if (item.kind === 'book') books.push(item.value);
  }
}, 30_000);

const crossed = (bar: MarketPrice): boolean => (bar.high ?? 0) < (bar.low ?? 0);
const sound = (bar: MarketPrice): boolean => bar.price > 0 && !crossed(bar);
const barsOf = (symbol: string): MarketPrice[] => prices.filter(bar => bar.symbol === symbol && sound(bar));

/** Longest stretch without an item, in whole minutes. */
function longestGap(times: Iterable<number>): number {
  const heard = [...new Set([...times].map(time => Math.ceil((time - START) / MINUTE)))];
  heard.sort((a, b) => a - b);
  return Math.max(...heard.map((minute, index) => minute - (heard[index - 1] ?? 0) - 1));
}

describe('the history of seed 42', () => {
  it('is shaped as the codecs say', () => {
    expect(prices.every(MarketPrice.is)).toBe(true);
    expect(trades.every(MarketTrade.is)).toBe(true);
    expect(books.every(OrderBook.is)).toBe(true);
    expect(new Set(books.map(({ symbol }) => symbol)).size).toBe(12);
  });

  it('marks every minute, and nothing comes behind the marker of its time', () => {
    let marked = START;
    let wrong = 0;
    for (const item of items) {
      if (item.kind === 'time') {
        if (item.time !== marked + MINUTE) wrong++;
        marked = item.time;
      } else if (item.kind !== 'malformed' && item.value.time <= marked) wrong++;
    }
    expect(wrong).toBe(0);
    expect(marked).toBe(START + MINUTES * MINUTE);
  });

  it('keeps the order of time but for scripted books, late by less than 2 s', () => {
    let latest = 0;
    const late: { kind: string; by: number }[] = [];
    for (const item of items) {
      if (item.kind === 'time' || item.kind === 'malformed') continue;
      const { time } = item.value;
      if (time < latest) late.push({ kind: item.kind, by: latest - time });
      latest = Math.max(latest, time);
    }
    expect(late.length).toBeGreaterThan(100);
    expect(late.length).toBeLessThan(400);
    expect(late.every(({ kind, by }) => kind === 'book' && by < 2000)).toBe(true);
  });

  it('holds bars, trades and books that make sense but for the scripted ones', () => {
    const off = prices.filter(sound).filter(({ open = 0, high = 0, low = 0, price, volume = 0 }) => {
      return !(low <= Math.min(open, price) && high >= Math.max(open, price) && volume > 0);
    });
    expect(off).toEqual([]);
    expect(trades.every(({ price, size }) => price > 0 && size > 0)).toBe(true);
    const ordered = books.every(({ bids, asks }) => {
      const rising = [...bids.toReversed(), ...asks].map(([price]) => price);
      return rising.every((price, at) => at === 0 || price > (rising[at - 1] ?? 0));
    });
    expect(ordered).toBe(true);
  });

  it('has books of five to ten levels that reach past 2 % from the mid', () => {
    const short = books.filter(({ bids, asks }) => {
      const mid = ((bids[0]?.[0] ?? 0) + (asks[0]?.[0] ?? 0)) / 2;
      const lowest = bids.at(-1)?.[0] ?? mid;
      const highest = asks.at(-1)?.[0] ?? mid;
      const few = Math.min(bids.length, asks.length) < 5 || Math.max(bids.length, asks.length) > 10;
      return few || lowest > mid * 0.98 || highest < mid * 1.02;
    });
    expect(short).toEqual([]);
  });

  it('has bars that cannot be, each beside the true one', () => {
    const zero = prices.filter(({ price }) => price === 0);
    const negative = prices.filter(({ price }) => price < 0);
    const crossing = prices.filter(crossed);
    for (const bad of [zero, negative, crossing]) expect(bad.length).toBeGreaterThan(3);
    const [first] = zero;
    const twin = barsOf(first?.symbol ?? '').find(({ time }) => time === first?.time);
    expect(twin?.price).toBeGreaterThan(0);
  });

  it('has a few malformed frames with their reason and place', () => {
    const malformed = items.filter(item => item.kind === 'malformed');
    expect(malformed.length).toBeGreaterThan(1);
    expect(malformed.length).toBeLessThan(20);
    const [first] = malformed;
    expect(() => void JSON.parse(new TextDecoder().decode(first?.raw))).toThrow();
    expect(first?.place).toMatch(/^minute \d+$/);
  });

  it('repeats bars, trades and books', () => {
    const repeated = new Set<string>();
    items.forEach((item, at) => {
      const before = items[at - 1];
      if (before?.kind !== item.kind || item.kind === 'time' || repeated.has(item.kind)) return;
      if (isDeepStrictEqual(item, before)) repeated.add(item.kind);
    });
    expect([...repeated]).toEqual(expect.arrayContaining(['price', 'book', 'trade']));
  });

  it('halts one symbol for three hours and the whole market for one', () => {
    const of = (symbol: string): number[] => [
      ...books.filter(book => book.symbol === symbol).map(({ time }) => time),
      ...trades.filter(trade => trade.symbol === symbol).map(({ time }) => time),
    ];
    expect(longestGap(books.map(({ time }) => time))).toBe(60);
    expect(Math.max(longestGap(of('BTC-USDT')), longestGap(of('ETH-USDT')))).toBe(180);
  });

  it('has quiet symbols with minutes without a bar, and busy ones', () => {
    expect(barsOf('KSM-USDT').length).toBeLessThan(MINUTES / 2);
    expect(barsOf('ALGO-USDT').length).toBeLessThan(MINUTES * 0.85);
    expect(barsOf('SOL-USDT').length).toBeGreaterThan(MINUTES - 200);
  });

  it('crashes all symbols together at least once', () => {
    const drops = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'LINK-USDT'].map(symbol => {
      const closes = new Map(barsOf(symbol).map(({ time, price }) => [time, price]));
      return new Map(
        [...closes].map(([time, now]) => [time, now / (closes.get(time - 90 * MINUTE) ?? now) - 1]),
      );
    });
    const [first] = drops;
    const together = [...(first?.keys() ?? [])].filter(time =>
      drops.every(drop => (drop.get(time) ?? 0) < -0.04),
    );
    expect(together.length).toBeGreaterThan(0);
  });
});
