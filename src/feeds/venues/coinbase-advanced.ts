import * as t from 'io-ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelOf, type Level } from '../order-book.ts';
import { normaliseSymbol } from '../symbols.ts';
import { BarRoller } from './bar-roller.ts';
import { isoTime, numberOf, numeric, quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Failure = t.type({ type: t.literal('error'), message: t.string });
const Frame = t.intersection([
  t.type({ channel: t.string, timestamp: t.string, events: t.array(t.unknown) }),
  t.partial({ sequence_num: t.number }),
]);
const Ticker = t.intersection([
  t.type({ product_id: t.string, price: numeric }),
  t.partial({ best_bid: numeric, best_ask: numeric }),
]);
const Tickers = t.type({ tickers: t.array(Ticker) });
const Trade = t.type({
  trade_id: t.string,
  product_id: t.string,
  price: numeric,
  size: numeric,
  side: t.keyof({ BUY: null, SELL: null }),
  time: t.string,
});
const Trades = t.type({ type: t.string, trades: t.array(Trade) });
const Candle = t.type({
  start: numeric,
  high: numeric,
  low: numeric,
  open: numeric,
  close: numeric,
  volume: numeric,
  product_id: t.string,
});
const Candles = t.type({ candles: t.array(Candle) });
const Level2 = t.type({
  type: t.string,
  product_id: t.string,
  updates: t.array(t.type({ side: t.string, price_level: numeric, new_quantity: numeric })),
});

const candleMs = 300_000;
const channelNames: Readonly<Record<Channel, string>> = {
  ticker: 'ticker',
  trades: 'market_trades',
  book: 'level2',
  bars: 'candles',
};

const request = (type: string, symbols: readonly string[], channel: string): string =>
  JSON.stringify({ type, product_ids: symbols, channel });

function tickers(event: unknown, time: number, out: FrameSink): boolean {
  if (!Tickers.is(event)) return false;
  return event.tickers.every(each => {
    const symbol = normaliseSymbol(each.product_id);
    if (symbol === undefined) return false;
    out.price({ symbol, price: numberOf(each.price), time, ...quote(each.best_bid, each.best_ask) });
    return true;
  });
}

function trades(event: unknown, out: FrameSink): boolean {
  if (!Trades.is(event)) return false;
  return event.trades.every(each => {
    const symbol = normaliseSymbol(each.product_id);
    if (symbol === undefined) return false;
    const value = {
      symbol,
      price: numberOf(each.price),
      size: numberOf(each.size),
      // The venue names the maker's side.
      side: each.side === 'BUY' ? ('sell' as const) : ('buy' as const),
      tradeId: each.trade_id,
      time: isoTime(each.time),
    };
    if (event.type === 'snapshot') out.history(value);
    else out.trade(value);
    return true;
  });
}

function candles(event: unknown, bars: BarRoller, out: FrameSink): boolean {
  if (!Candles.is(event)) return false;
  // A snapshot comes newest first, and only its newest is still open.
  const inOrder = event.candles.toSorted((a, b) => numberOf(a.start) - numberOf(b.start));
  return inOrder.slice(-2).every(each => {
    const symbol = normaliseSymbol(each.product_id);
    if (symbol === undefined) return false;
    const closed = bars.roll({
      symbol,
      price: numberOf(each.close),
      time: numberOf(each.start) * 1000 + candleMs,
      intervalMs: candleMs,
      open: numberOf(each.open),
      high: numberOf(each.high),
      low: numberOf(each.low),
      volume: numberOf(each.volume),
    });
    if (closed !== undefined) out.price(closed);
    return true;
  });
}

function level2(
  event: unknown,
  time: number,
  sequence: number | undefined,
  books: BookKeeper,
  out: FrameSink,
): boolean {
  const symbol = Level2.is(event) ? normaliseSymbol(event.product_id) : undefined;
  if (!Level2.is(event) || symbol === undefined) return false;
  const side = (name: string): readonly Level[] =>
    event.updates
      .filter(update => update.side === name)
      .map(update => levelOf(update.price_level, update.new_quantity))
      .filter(level => level !== undefined);
  const [bids, asks] = [side('bid'), side('offer')];
  if (bids.length + asks.length < event.updates.length) {
    books.lose(symbol, 'a level is no price with a size', out);
    out.malformed(`a level of the book of ${symbol} is no price with a size`);
    return true;
  }
  const update = { symbol, bids, asks, time, ...(sequence === undefined ? {} : { sequence }) };
  if (event.type === 'snapshot') books.snapshot(update, out);
  else books.diff(update, out);
  return true;
}

/** Whether a number of the connection is skipped; a number that comes again is no gap. */
class Sequence {
  #last: number | undefined;

  skipped(next: number | undefined): string | undefined {
    if (next === undefined) return undefined;
    const last = this.#last;
    this.#last = Math.max(next, last ?? next);
    return last === undefined || next <= last + 1 ? undefined : `frame ${next} after ${last}`;
  }

  reset(): void {
    this.#last = undefined;
  }
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new BookKeeper({
    ...options,
    resyncFrames: symbol => ['unsubscribe', 'subscribe'].map(type => request(type, [symbol], 'level2')),
  });
  const bars = new BarRoller();
  const sequence = new Sequence();
  const handle = (frame: unknown, out: FrameSink): boolean => {
    if (Failure.is(frame)) {
      out.error(frame.message);
      return true;
    }
    if (!Frame.is(frame)) return false;
    const gap = sequence.skipped(frame.sequence_num);
    if (gap !== undefined) books.loseAll(gap, out);
    const time = isoTime(frame.timestamp);
    if (frame.channel === 'heartbeats') out.heartbeat();
    else if (frame.channel === 'subscriptions' || frame.channel === 'status') out.answer(frame.channel);
    else {
      return frame.events.every(event => {
        if (frame.channel.startsWith('ticker')) return tickers(event, time, out);
        if (frame.channel === 'market_trades') return trades(event, out);
        if (frame.channel === 'candles') return candles(event, bars, out);
        return frame.channel === 'l2_data' && level2(event, time, frame.sequence_num, books, out);
      });
    }
    return true;
  };
  const reset = (): void => {
    bars.reset();
    sequence.reset();
  };
  return jsonNormaliser('coinbase', { handle, books, reset });
}

/** Coinbase Advanced Trade, public market data; its candles are of five minutes. */
export const coinbaseAdvanced: Venue = {
  name: 'coinbase-advanced',
  venue: 'coinbase',
  hosts: ['advanced-trade-ws.coinbase.com'],
  channels: ['ticker', 'trades', 'book', 'bars'],
  url: (): string => 'wss://advanced-trade-ws.coinbase.com',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] => [
    ...channels.map(channel => request('subscribe', symbols, channelNames[channel])),
    request('subscribe', symbols, 'heartbeats'),
  ],
  createNormaliser,
};
