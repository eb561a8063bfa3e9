import type { FeedItem } from '../feed.ts';
import type { SymbolMinute } from './market.ts';
import { between, rounded, type Random } from './random.ts';

/** The venue of everything simulated. */
const VENUE = 'simulator';

const SIZE_SCALE = 1e5;

const REACH = 0.0225;

/** Distance from mid and share of the depth within 2 %; the last level lies beyond it. */
const LEVELS: readonly (readonly [distance: number, share: number])[] = [
  [0, 0.06],
  [0.001, 0.1],
  [0.003, 0.16],
  [0.007, 0.22],
  [0.0125, 0.24],
  [0.018, 0.22],
  [REACH, 0.3],
];

/** Where the price of the minute stood after a share of it, 0 to 1, inside its high and low. */
function priceAt(state: SymbolMinute, share: number, random: Random): number {
  const line = state.open + (state.close - state.open) * share;
  const swing = (state.high - state.low) * (random() - 0.5) * 0.5;
  return Math.min(state.high, Math.max(state.low, line + swing));
}

/** The bar of a minute that ends at `time`. */
export function barItem(state: SymbolMinute, time: number): FeedItem {
  const { symbol, scale } = state.profile;
  const price = rounded(state.close, scale);
  return {
    kind: 'price',
    value: {
      venue: VENUE,
      symbol,
      price,
      time,
      intervalMs: 60_000,
      open: rounded(state.open, scale),
      high: rounded(state.high, scale),
      low: rounded(state.low, scale),
      volume: sizeOf(state.volume / price),
    },
  };
}

/** One trade at `time`, after a share of the minute. */
export function tradeItem(
  state: SymbolMinute,
  at: { readonly time: number; readonly share: number; readonly tradeId: string },
  random: Random,
): FeedItem {
  const { symbol, scale } = state.profile;
  const price = rounded(priceAt(state, at.share, random), scale);
  const rising = state.close >= state.open ? 0.58 : 0.42;
  const size = sizeOf((state.volume * between(random, 0.02, 0.2)) / price);
  const side = random() < rising ? 'buy' : 'sell';
  const value = { venue: VENUE, symbol, price, size, side, tradeId: at.tradeId, time: at.time } as const;
  return { kind: 'trade', value };
}

/** The whole book at `time`, seven levels a side, reaching past 2 % from the mid. */
export function bookItem(
  state: SymbolMinute,
  at: { readonly time: number; readonly share: number; readonly sequence: number },
  random: Random,
): FeedItem {
  const { symbol } = state.profile;
  const mid = at.share === 1 ? state.close : priceAt(state, at.share, random);
  const half = (state.profile.spreadBps * state.effects.spread * between(random, 0.8, 1.25)) / 20_000;
  const depth = state.profile.depth * state.effects.depth;
  const bids = sideOf(state, mid, -half, depth * between(random, 0.85, 1.2));
  const asks = sideOf(state, mid, half, depth * between(random, 0.85, 1.2));
  const { time, sequence } = at;
  return { kind: 'book', value: { venue: VENUE, symbol, bids, asks, sequence, time } };
}

/** Levels of one side, best first; a negative half spread gives the bids. */
function sideOf(
  state: SymbolMinute,
  mid: number,
  half: number,
  depth: number,
): readonly (readonly [number, number])[] {
  const sign = half < 0 ? -1 : 1;
  // A wide spread squeezes the levels together: their number and their reach stay.
  const room = 1 - (half * sign) / REACH;
  return LEVELS.map(([distance, share]) => {
    const price = rounded(mid * (1 + half + sign * distance * room), state.profile.scale);
    return [price, sizeOf((depth * share) / price)] as const;
  });
}

/** Never 0: a level or trade of size 0 would say that there is none. */
function sizeOf(size: number): number {
  return Math.max(1 / SIZE_SCALE, rounded(size, SIZE_SCALE));
}
