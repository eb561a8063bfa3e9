import type { MarketPrice, MarketTrade, OrderBook } from '../src/index.ts';

/** The year 2100: what lies beyond is no time in milliseconds, but another unit. */
const latestTime = 4_102_444_800_000;

function isAmount(value: number): boolean {
  return value > 0 && value < Infinity;
}

function flawOfPlace({
  symbol,
  time,
}: {
  readonly symbol: string;
  readonly time: number;
}): string | undefined {
  if (!(time > 0 && time < latestTime)) return `time is ${time}, must be milliseconds since 1970`;
  return /^\S+$/.test(symbol) ? undefined : `symbol is "${symbol}", must be a word like BTC-USD`;
}

const pricesOfUpdate = ['price', 'open', 'high', 'low'] as const;

/** Why nothing may be made of a price; undefined where something may. */
export function flawOfPrice(update: MarketPrice): string | undefined {
  const { high, low, volume, intervalMs } = update;
  for (const name of pricesOfUpdate) {
    const value = update[name];
    if (value !== undefined && !isAmount(value)) return `${name} is ${value}, must be a number above 0`;
  }
  if (high !== undefined && low !== undefined && high < low) return `high ${high} is below low ${low}`;
  if (volume !== undefined && !(volume >= 0 && volume < Infinity)) {
    return `volume is ${volume}, must be a number from 0`;
  }
  if (intervalMs !== undefined && !isAmount(intervalMs)) {
    return `intervalMs is ${intervalMs}, must be a number above 0`;
  }
  return flawOfPlace(update);
}

/** Why nothing may be made of a trade; undefined where something may. */
export function flawOfTrade(trade: MarketTrade): string | undefined {
  const { price, size } = trade;
  if (!isAmount(price)) return `price is ${price}, must be a number above 0`;
  return isAmount(size) ? flawOfPlace(trade) : `size is ${size}, must be a number above 0`;
}

/** Why nothing may be made of a book; undefined where something may. */
export function flawOfBook(book: OrderBook): string | undefined {
  for (const side of ['bids', 'asks'] as const) {
    for (const [price, size] of book[side]) {
      if (!isAmount(price) || !isAmount(size)) {
        return `${side} hold ${size} at ${price}, both must be numbers above 0`;
      }
    }
  }
  return flawOfPlace(book);
}
