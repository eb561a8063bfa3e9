import * as t from 'io-ts';
import { type OrderBook, decodeState } from '../src/index.ts';
import { minuteMs, windowEnd } from './bar-window.ts';
import { numberBetween, numberOrNull } from './number-codecs.ts';
import { encodeState } from './state-json.ts';

/** How easily a symbol can be bought and sold at a venue. */
export interface MarketLiquidity {
  readonly venue: string;
  readonly symbol: string;
  /** Event time, ms: the book's. */
  readonly time: number;
  /** Halfway between best bid and best ask; null where the book is one-sided or crossed. */
  readonly mid: number | null;
  /** `(ask - bid) / mid`, in hundredths of a percent; null like `mid`. */
  readonly spreadBps: number | null;
  /** Value of the bids near mid, in quote currency; 0 where there is no mid. */
  readonly bidDepth: number;
  /** Value of the asks near mid, in quote currency; 0 where there is no mid. */
  readonly askDepth: number;
}

export const MarketLiquidity: t.Type<MarketLiquidity> = t.type({
  venue: t.string,
  symbol: t.string,
  time: t.number,
  mid: numberOrNull,
  spreadBps: numberOrNull,
  bidDepth: t.number,
  askDepth: t.number,
});

/** Settings of the liquidity measure; `configs/liquidity.yaml` holds the defaults. */
export interface LiquiditySettings {
  /** How far from mid a level counts. Default 2 percent. */
  readonly depthPercent: number;
  /** A change of more than this is written at once. Default 10 percent. */
  readonly changePercent: number;
}

export const LiquiditySettings: t.Type<LiquiditySettings> = t.type({
  depthPercent: numberBetween(0.01, 50),
  changePercent: numberBetween(0, 1_000),
});

/** What holds where a configuration says nothing else. */
export const defaultLiquiditySettings: LiquiditySettings = { depthPercent: 2, changePercent: 10 };

function valueWithin(levels: OrderBook['bids'], from: number, to: number): number {
  let value = 0;
  for (const [price, size] of levels) if (price >= from && price <= to) value += price * size;
  return value;
}

/** Measures a book. One without both sides, or with a bid above the ask, cannot be traded on: no depth. */
export function measureBook(book: OrderBook, settings: LiquiditySettings): MarketLiquidity {
  const { venue, symbol, time } = book;
  const bid = book.bids[0]?.[0];
  const ask = book.asks[0]?.[0];
  if (bid === undefined || ask === undefined || !(bid > 0 && bid <= ask && ask < Infinity)) {
    return { venue, symbol, time, mid: null, spreadBps: null, bidDepth: 0, askDepth: 0 };
  }
  const mid = (bid + ask) / 2;
  const reach = (mid * settings.depthPercent) / 100;
  return {
    venue,
    symbol,
    time,
    mid,
    spreadBps: ((ask - bid) / mid) * 10_000,
    bidDepth: valueWithin(book.bids, mid - reach, mid),
    askDepth: valueWithin(book.asks, mid, mid + reach),
  };
}

/** What was written last of one symbol at one venue; JSON-safe. */
export interface LiquidityState {
  /** Event time, ms, of the last book seen. */
  lastTime: number | null;
  written: MarketLiquidity | null;
}

const LiquidityStateCodec: t.Type<LiquidityState> = t.type({
  lastTime: numberOrNull,
  written: t.union([MarketLiquidity, t.null]),
});

/** Nothing written yet. */
export function seedLiquidity(): LiquidityState {
  return { lastTime: null, written: null };
}

function changed(before: number | null, after: number | null, share: number): boolean {
  if (before === null || after === null) return before !== after;
  return Math.abs(after - before) > share * before;
}

function isNews(before: MarketLiquidity, after: MarketLiquidity, settings: LiquiditySettings): boolean {
  const share = settings.changePercent / 100;
  return (
    windowEnd(after.time, minuteMs) > windowEnd(before.time, minuteMs) ||
    changed(before.spreadBps, after.spreadBps, share) ||
    changed(before.bidDepth, after.bidDepth, share) ||
    changed(before.askDepth, after.askDepth, share)
  );
}

/**
 * Measures a book and says whether to write it: the first of each minute, and any whose spread or depth
 * differs by more than a tenth from what was written last. Undefined else, and for a book older than the
 * last one. Changes the state in place.
 */
export function liquidityOf(
  state: LiquidityState,
  book: OrderBook,
  settings: LiquiditySettings,
): MarketLiquidity | undefined {
  if (state.lastTime !== null && book.time < state.lastTime) return undefined;
  const liquidity = measureBook(book, settings);
  state.lastTime = book.time;
  if (state.written !== null && !isNews(state.written, liquidity, settings)) return undefined;
  state.written = liquidity;
  return liquidity;
}

/** The JSON-safe form of a liquidity state. */
export function encodeLiquidity(state: LiquidityState): unknown {
  return encodeState(LiquidityStateCodec, state);
}

/**
 * The live state of what {@link encodeLiquidity} made.
 *
 * @throws StateRefused where it has another shape.
 */
export function decodeLiquidity(json: unknown): LiquidityState {
  return decodeState('liquidity', LiquidityStateCodec, json);
}
