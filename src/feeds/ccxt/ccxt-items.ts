import * as t from 'io-ts';
import type { FeedItem } from '../feed.ts';
import { normaliseSymbol } from '../symbols.ts';
import { numberOf, numeric, quote } from '../venues/decoding.ts';
import { FrameSink } from '../venues/frame-sink.ts';

const absent = t.union([numeric, t.null, t.undefined]);
const Ticker = t.intersection([
  t.type({ symbol: t.string, last: absent }),
  t.partial({ bid: absent, ask: absent, timestamp: absent }),
]);
const Trade = t.intersection([
  t.type({
    symbol: t.string,
    price: numeric,
    amount: numeric,
    side: t.keyof({ buy: null, sell: null }),
    timestamp: numeric,
  }),
  t.partial({ id: t.union([t.string, t.null, t.undefined]) }),
]);

/** Turns what ccxt gives into items; a trade that comes again, as in every poll, is said once. */
export class CcxtItems {
  readonly #sink: FrameSink;
  readonly #tickers = new Map<string, string>();

  /** @param venue the exchange's id */
  constructor(venue: string) {
    this.#sink = new FrameSink(venue);
  }

  ticker(value: unknown, receivedAt: number, place: string): readonly FeedItem[] {
    return this.#read(value, receivedAt, place, () => {
      const symbol = Ticker.is(value) ? normaliseSymbol(value.symbol) : undefined;
      if (!Ticker.is(value) || symbol === undefined) return false;
      const { last, bid, ask, timestamp } = value;
      const said = [last, bid, ask, timestamp].join(' ');
      // Polls repeat what has not changed.
      if (this.#tickers.get(symbol) === said) return true;
      this.#tickers.set(symbol, said);
      const time = timestamp === undefined || timestamp === null ? this.#sink.timeless : numberOf(timestamp);
      this.#sink.price({ symbol, price: numberOf(last), time, ...quote(bid, ask) });
      return true;
    });
  }

  /** @param old the trades are from before the first poll */
  trades(rows: readonly unknown[], old: boolean, receivedAt: number, place: string): readonly FeedItem[] {
    return rows.flatMap(row =>
      this.#read(row, receivedAt, place, () => {
        const symbol = Trade.is(row) ? normaliseSymbol(row.symbol) : undefined;
        if (!Trade.is(row) || symbol === undefined) return false;
        const { price, amount, side, id, timestamp } = row;
        const tradeId = typeof id === 'string' ? { tradeId: id } : {};
        const value = {
          symbol,
          price: numberOf(price),
          size: numberOf(amount),
          side,
          ...tradeId,
          time: numberOf(timestamp),
        };
        const key = typeof id === 'string' ? id : [timestamp, price, amount, side].join(' ');
        if (old) this.#sink.history(value, key);
        else this.#sink.trade(value, key);
        return true;
      }),
    );
  }

  #read(value: unknown, receivedAt: number, place: string, read: () => boolean): readonly FeedItem[] {
    this.#sink.open(value === undefined ? 'undefined' : JSON.stringify(value), receivedAt, place);
    if (!read()) this.#sink.malformed('neither a ticker nor a trade as ccxt gives them');
    this.#sink.close();
    return this.#sink.items;
  }
}
