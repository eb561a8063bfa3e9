import type { Feed, FeedBatch, FeedItem } from '../../src/feeds/feed.ts';
import type { MarketPrice, MarketTrade, OrderBook } from '../../src/index.ts';

/** 2026-01-05T00:00Z, a boundary of every window. */
export const marketStart: number = Date.UTC(2026, 0, 5);
const minute = 60_000;
const hour = 60 * minute;
/** Prices are known for five minutes, so one bar in five minutes is as good as one a minute, and quick. */
const stepMs = 5 * minute;

export interface SmallMarket {
  readonly seed: number;
  readonly hours: number;
  /** `bars`: summed-up prices alone; `trades`: trades, some late or out of order, and books. */
  readonly carries: 'bars' | 'trades';
}

/** A number from 0 to 1 that depends on all of its inputs. */
function chance(...inputs: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const input of inputs) {
    h = Math.imul(h ^ (input >>> 0), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return (h >>> 0) / 2 ** 32;
}

interface Coin {
  readonly venue: string;
  readonly symbol: string;
  /** Return of a step in 1/1000. */
  readonly drift: (atHour: number) => number;
}

const pump = (from: number) => (at: number) => {
  if (at < from) return 0;
  if (at < from + 2.5) return 3;
  return at < from + 3.5 ? -6 : 0;
};

/** Two venues trade the same symbol: their messages share a key, their state must not be shared. */
const coins: readonly Coin[] = [
  { venue: 'sim', symbol: 'PUMP-USD', drift: pump(25.5) },
  { venue: 'other', symbol: 'PUMP-USD', drift: pump(26) },
  { venue: 'sim', symbol: 'RISE-USD', drift: at => (at > 24 ? 0.8 : 0.1) },
  { venue: 'sim', symbol: 'CALM-USD', drift: () => 0 },
  { venue: 'sim', symbol: 'TWICE-USD', drift: at => pump(24.5)(at) + pump(29.5)(at) },
];

interface Step {
  readonly coin: Coin;
  readonly index: number;
  readonly time: number;
  readonly open: number;
  readonly close: number;
  readonly volume: number;
}

function* steps({ seed, hours }: SmallMarket): Generator<readonly Step[]> {
  const prices = coins.map((_, i) => 10 ** (i % 3));
  for (let n = 1; n * stepMs <= hours * hour; n++) {
    const atHour = (n * stepMs) / hour;
    const traded: Step[] = [];
    coins.forEach((coin, index) => {
      const open = prices[index] ?? 1;
      const noise = (chance(seed, n, index) - 0.5) * 2;
      const close = open * (1 + (coin.drift(atHour) + noise) / 1000);
      prices[index] = close;
      // Now and then nobody trades.
      if (chance(seed, n, index, 7) < 0.03) return;
      const busy = coin.drift(atHour) === 0 ? 1 : 4;
      const volume = (4_000 * busy * (0.5 + chance(seed, n, index, 3))) / close;
      traded.push({ coin, index, time: marketStart + n * stepMs, open, close, volume });
    });
    yield traded;
  }
}

function barOf({ coin: { venue, symbol }, time, open, close, volume }: Step): FeedItem {
  const wick = 1 + chance(time, close) / 2000;
  const value: MarketPrice = {
    venue,
    symbol,
    price: close,
    time,
    intervalMs: minute,
    open,
    high: Math.max(open, close) * wick,
    low: Math.min(open, close) / wick,
    volume,
  };
  return { kind: 'price', value };
}

/** Four trades in the minute: the second and third change places at times, the fourth may come too late. */
function tradesOf({ coin: { venue, symbol }, index, time, open, close, volume }: Step): {
  readonly inTime: readonly FeedItem[];
  readonly late: readonly FeedItem[];
} {
  const trades = [0, 1, 2, 3].map((n): FeedItem => {
    const value: MarketTrade = {
      venue,
      symbol,
      price: open + ((close - open) * (n + 1)) / 4,
      size: volume / 4,
      side: n % 2 === 0 ? 'buy' : 'sell',
      tradeId: `${time}-${n}`,
      time: time - (n === 1 || n === 2 ? 10_000 - n * 900 : 3 - n) - (n === 0 ? 30_000 : 0),
    };
    return { kind: 'trade', value };
  });
  const [a, b, c, d] = trades;
  if (!a || !b || !c || !d) throw new Error('four trades');
  const swapped = chance(time, index, 1) < 0.3 ? [a, c, b] : [a, b, c];
  return chance(time, index, 2) < 0.1
    ? { inTime: swapped, late: [d] }
    : { inTime: [...swapped, d], late: [] };
}

function bookOf({ coin: { venue, symbol }, time, close }: Step): FeedItem {
  const spread = close * (0.0005 + chance(time, close, 5) * 0.004);
  const size = (60_000 + chance(time, close, 6) * 400_000) / close;
  const value: OrderBook = {
    venue,
    symbol,
    bids: [[close - spread / 2, size]],
    asks: [[close + spread / 2, size]],
    time: time - 1_000,
  };
  return { kind: 'book', value };
}

/** The items of the market in the order in which a feed says them. */
export function marketItems(market: SmallMarket): readonly FeedItem[] {
  const items: FeedItem[] = [];
  for (const traded of steps(market)) {
    const time = traded[0]?.time;
    if (time === undefined) continue;
    if (market.carries === 'bars') {
      items.push(...traded.map(barOf), { kind: 'time', time });
      continue;
    }
    const trades = traded.map(tradesOf);
    items.push(...traded.map(bookOf), ...trades.flatMap(({ inTime }) => inTime));
    items.push({ kind: 'time', time }, { kind: 'time', time: time + 10_000 });
    items.push(...trades.flatMap(({ late }) => late));
  }
  return items;
}

/**
 * The items as another feed may say them: between two marks of time the order of each kind of each symbol stays, and
 * nothing else.
 */
function interleaved(items: readonly FeedItem[], seed: number): readonly FeedItem[] {
  const told: FeedItem[] = [];
  let lanes = new Map<string, FeedItem[]>();
  const merge = (): void => {
    let waiting = [...lanes.values()];
    while (waiting.length > 0) {
      const lane = waiting[Math.floor(chance(seed, told.length) * waiting.length)];
      const next = lane?.shift();
      if (next) told.push(next);
      waiting = waiting.filter(({ length }) => length > 0);
    }
    lanes = new Map();
  };
  for (const item of items) {
    if (item.kind === 'time') {
      merge();
      told.push(item);
    } else {
      const name = 'value' in item ? `${item.kind} ${item.value.symbol}` : item.kind;
      lanes.set(name, [...(lanes.get(name) ?? []), item]);
    }
  }
  merge();
  return told;
}

export interface FeedPlan {
  /** How many items are said at once: always so many, or as many as these say, one after the other. */
  readonly batchSize: number | readonly number[];
  /** Says what symbols and kinds say between two marks of time in another order; default: as they are made. */
  readonly interleaving?: number;
  /** Batches that are said twice, as a feed does that died before it recorded its position. */
  readonly repeated?: readonly number[];
  /** Awaited before each batch. */
  readonly between?: () => Promise<void>;
}

/** The market as a feed; its position is how many items were said. */
export function marketFeed(
  market: SmallMarket,
  { batchSize, interleaving, repeated = [], between }: FeedPlan,
): Feed {
  const made = marketItems(market);
  const items = interleaving === undefined ? made : interleaved(made, interleaving);
  const sizes = typeof batchSize === 'number' ? [batchSize] : batchSize;
  const bars = market.carries === 'bars';
  return {
    name: 'small-market',
    contents: { prices: bars ? 'bars' : 'none', trades: !bars, books: !bars },
    async *read(position): AsyncGenerator<FeedBatch, void, undefined> {
      let at = Number(position ?? 0);
      for (let n = 0; at < items.length; n++) {
        await between?.();
        const batch = items.slice(at, at + (sizes[n % sizes.length] ?? 1));
        at += batch.length;
        const told = { items: batch, position: String(at) };
        yield told;
        if (repeated.includes(n)) yield told;
      }
    },
  };
}
