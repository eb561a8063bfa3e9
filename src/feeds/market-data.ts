import * as t from 'io-ts';

const level: t.Type<readonly [number, number]> = t.readonly(t.tuple([t.number, t.number]));

/** One price of a symbol at a venue, or the summary of an interval that ends at `time`. */
export interface MarketPrice {
  readonly venue: string;
  /** `BASE-QUOTE`, upper case, whatever the venue calls it. */
  readonly symbol: string;
  readonly price: number;
  /** Event time, ms; of a bar: the END of its interval. */
  readonly time: number;
  /** Set where the update sums up the interval (time - intervalMs, time]. */
  readonly intervalMs?: number;
  readonly open?: number;
  readonly high?: number;
  readonly low?: number;
  /** In units of the base currency. */
  readonly volume?: number;
  readonly bid?: number;
  readonly ask?: number;
}

export const MarketPrice: t.Type<MarketPrice> = t.intersection([
  t.type({ venue: t.string, symbol: t.string, price: t.number, time: t.number }),
  t.partial({
    intervalMs: t.number,
    open: t.number,
    high: t.number,
    low: t.number,
    volume: t.number,
    bid: t.number,
    ask: t.number,
  }),
]);

export interface MarketTrade {
  readonly venue: string;
  readonly symbol: string;
  readonly price: number;
  /** In units of the base currency. */
  readonly size: number;
  /** The side of the taker. */
  readonly side: 'buy' | 'sell';
  readonly tradeId?: string;
  readonly time: number;
}

export const MarketTrade: t.Type<MarketTrade> = t.intersection([
  t.type({
    venue: t.string,
    symbol: t.string,
    price: t.number,
    size: t.number,
    side: t.keyof({ buy: null, sell: null }),
    time: t.number,
  }),
  t.partial({ tradeId: t.string }),
]);

/** A whole order book; levels are `[price, size]`, best first, size 0 never stored. */
export interface OrderBook {
  readonly venue: string;
  readonly symbol: string;
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
  /** The venue's own sequence number, where it has one. */
  readonly sequence?: number;
  readonly time: number;
}

export const OrderBook: t.Type<OrderBook> = t.intersection([
  t.type({
    venue: t.string,
    symbol: t.string,
    bids: t.readonlyArray(level),
    asks: t.readonlyArray(level),
    time: t.number,
  }),
  t.partial({ sequence: t.number }),
]);
