import { beforeAll, describe, expect, it } from 'vitest';
import type { MarketPrice, OrderBook } from '../../src/feeds/market-data.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';

const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const bars = new Map<string, Map<number, MarketPrice>>();
const books = new Map<string, Map<number, OrderBook>>();

function file<A extends { symbol: string; time: number }>(into: Map<string, Map<number, A>>, value: A): void {
  const own = into.get(value.symbol) ?? new Map<number, A>();
  own.set(Math.ceil((value.time - START) / MINUTE), value);
  into.set(value.symbol, own);
}

beforeAll(async () => {
  for await (const { items } of simulatorFeed().read(null, new AbortController().signal)) {
    for (const item of items) {
      if (item.kind === 'price' && item.value.price > 0) file(bars, item.value);
      if (item.kind === 'book') file(books, item.value);
    }
  }
}, 30_000);

/** High, low and volume of the closed hour that ends at a minute. */
function activity(own: ReadonlyMap<number, MarketPrice>, end: number): number {
  const hour = Array.from({ length: 60 }, (_, back) => own.get(end - back)).filter(b => !!b);
  const high = Math.max(...hour.map(bar => bar.high ?? 0));
  const low = Math.min(...hour.map(bar => bar.low ?? 0));
  return (high - low) * hour.reduce((sum, bar) => sum + (bar.volume ?? 0), 0);
}

function volumeRange(own: ReadonlyMap<number, MarketPrice>, minute: number): number {
  const last = Math.floor(minute / 60) * 60;
  const before = Array.from({ length: 20 }, (_, back) => activity(own, last - (back + 1) * 60));
  return activity(own, last) / (before.reduce((a, b) => a + b, 0) / 20);
}

function dailyVolume(own: ReadonlyMap<number, MarketPrice>, minute: number): number {
  let sum = 0;
  for (let m = minute - 1439; m <= minute; m++) sum += (own.get(m)?.price ?? 0) * (own.get(m)?.volume ?? 0);
  return sum;
}

function liquidity(book: OrderBook | undefined): { spreadBps: number; depth: number } {
  const bid = book?.bids[0]?.[0] ?? 0;
  const ask = book?.asks[0]?.[0] ?? Infinity;
  const mid = (bid + ask) / 2;
  const within = (side: OrderBook['bids'] = []): number =>
    side
      .filter(([price]) => Math.abs(price / mid - 1) <= 0.02)
      .reduce((sum, [price, size]) => sum + price * size, 0);
  return { spreadBps: ((ask - bid) / mid) * 1e4, depth: Math.min(within(book?.bids), within(book?.asks)) };
}

/** Hours at which a symbol moves as the strictest gates want it, by price, volume and book. */
function pumps(symbol: string): number[] {
  const own = bars.get(symbol) ?? new Map<number, MarketPrice>();
  const hours: number[] = [];
  for (let minute = 25 * 60; minute <= 14_400; minute += 10) {
    const now = own.get(minute)?.price ?? 0;
    const back = (hour: number): number => now / (own.get(minute - hour * 60)?.price ?? Infinity) - 1;
    if (!(back(4) >= 0.04 && back(24) >= 0.04 && volumeRange(own, minute) >= 2.1)) continue;
    const { spreadBps, depth } = liquidity(books.get(symbol)?.get(minute));
    const liquid = spreadBps <= 35 && depth >= 175_000 && dailyVolume(own, minute) >= 500_000;
    if (liquid) hours.push(minute / 60);
  }
  return hours;
}

describe('the pumps of seed 42', () => {
  it('meet the strictest movement, volume, spread and depth, on several symbols', () => {
    const found = [...bars.keys()].map(pumps).filter(hours => hours.length > 0);
    expect(found.length).toBeGreaterThanOrEqual(3);
    const first = Math.min(...found.flat());
    expect(first).toBeGreaterThanOrEqual(25);
    expect(first).toBeLessThanOrEqual(32);
  }, 30_000);

  it('never make it on the thin and the quiet symbols', () => {
    expect(['ATOM-USDT', 'ALGO-USDT', 'KSM-USDT'].flatMap(pumps)).toEqual([]);
  }, 30_000);
});
