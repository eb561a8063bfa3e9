import type { MarketBar } from '../../pipelines/market-bar.ts';

export const minute = 60_000;
export const hour = 3_600_000;
export const day: number = 24 * hour;
/** 2021-04-02T00:00:00Z, a boundary of every window size used. */
export const start: number = Date.UTC(2021, 3, 2);

/** A 1m bar that ends at `end`; everything not given is the close. */
export function bar(end: number, close: number, rest: Partial<MarketBar> = {}): MarketBar {
  return {
    venue: 'binance',
    symbol: 'BTC-USDT',
    intervalMs: minute,
    end,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1,
    closedBy: { time: end, price: close },
    ...rest,
  };
}

/** Bars of consecutive minutes, the first one ending a minute after `from`. */
export function barsFrom(from: number, closes: readonly number[]): MarketBar[] {
  return closes.map((close, i) => bar(from + (i + 1) * minute, close));
}
