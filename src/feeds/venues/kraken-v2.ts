import * as t from 'io-ts';
import { krakenChecksum } from '../book-checksums.ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelOf, type Level } from '../order-book.ts';
import { normaliseSymbol } from '../symbols.ts';
import { BarRoller } from './bar-roller.ts';
import { isoTime, numberOf, numeric, quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Answer = t.intersection([
  t.type({ method: t.string }),
  t.partial({
    success: t.boolean,
    error: t.string,
    result: t.partial({ channel: t.string, symbol: t.string, depth: t.number }),
  }),
]);
const Frame = t.intersection([
  t.type({ channel: t.string }),
  t.partial({ type: t.string, data: t.array(t.unknown) }),
]);
const Ticker = t.intersection([
  t.type({ symbol: t.string, last: numeric, bid: numeric, ask: numeric }),
  t.partial({ timestamp: t.string }),
]);
const Trade = t.intersection([
  t.type({
    symbol: t.string,
    side: t.keyof({ buy: null, sell: null }),
    price: numeric,
    qty: numeric,
    timestamp: t.string,
  }),
  t.partial({ trade_id: numeric }),
]);
const Candle = t.type({
  symbol: t.string,
  interval: t.number,
  interval_begin: t.string,
  open: numeric,
  high: numeric,
  low: numeric,
  close: numeric,
  volume: numeric,
});
const levels = t.array(t.type({ price: numeric, qty: numeric }));
const Book = t.intersection([
  t.type({ symbol: t.string, bids: levels, asks: levels }),
  t.partial({ checksum: t.number, timestamp: t.string }),
]);

const depths = [10, 25, 100, 500, 1000];
const bookDepth = 500;
const channelNames: Readonly<Record<Channel, string>> = {
  ticker: 'ticker',
  trades: 'trade',
  book: 'book',
  bars: 'ohlc',
};

function request(method: 'subscribe' | 'unsubscribe', symbols: readonly string[], channel: Channel): string {
  const settings = channel === 'book' ? { depth: bookDepth } : channel === 'bars' ? { interval: 1 } : {};
  const symbol = symbols.map(each => each.replace('-', '/'));
  return JSON.stringify({ method, params: { channel: channelNames[channel], symbol, ...settings } });
}

/** Keeps the digits of prices and sizes, which are numbers here and count for the checksum. */
function parse(text: string): unknown {
  if (!text.includes('"book"')) return JSON.parse(text);
  const digits = (key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    (key === 'price' || key === 'qty') && typeof value === 'number' ? (context?.source ?? value) : value;
  return JSON.parse(text, digits);
}

function answer(frame: t.TypeOf<typeof Answer>, out: FrameSink): void {
  if (frame.method === 'pong') out.heartbeat();
  else if (frame.success === false || frame.error !== undefined) out.error(frame.error ?? 'no reason given');
  else out.answer(`${frame.method} ${frame.result?.channel ?? ''} ${frame.result?.symbol ?? ''}`.trim());
}

function ticker(data: unknown, symbol: string, out: FrameSink): boolean {
  if (!Ticker.is(data)) return false;
  const time = data.timestamp === undefined ? out.timeless : isoTime(data.timestamp);
  out.price({ symbol, price: numberOf(data.last), time, ...quote(data.bid, data.ask) });
  return true;
}

function trade(data: unknown, symbol: string, old: boolean, out: FrameSink): boolean {
  if (!Trade.is(data)) return false;
  const value = {
    symbol,
    price: numberOf(data.price),
    size: numberOf(data.qty),
    side: data.side,
    ...(data.trade_id === undefined ? {} : { tradeId: String(data.trade_id) }),
    time: isoTime(data.timestamp),
  };
  if (old) out.history(value);
  else out.trade(value);
  return true;
}

function candle(data: unknown, symbol: string, bars: BarRoller, out: FrameSink): boolean {
  if (!Candle.is(data)) return false;
  const intervalMs = data.interval * 60_000;
  const bar = bars.roll({
    symbol,
    price: numberOf(data.close),
    time: isoTime(data.interval_begin) + intervalMs,
    intervalMs,
    open: numberOf(data.open),
    high: numberOf(data.high),
    low: numberOf(data.low),
    volume: numberOf(data.volume),
  });
  if (bar !== undefined) out.price(bar);
  return true;
}

function side(rows: t.TypeOf<typeof levels>): readonly Level[] | undefined {
  const found = rows.map(({ price, qty }) => levelOf(price, qty)).filter(level => level !== undefined);
  return found.length === rows.length ? found : undefined;
}

/** The depth of a subscription that was not seen being answered: the least that holds the snapshot. */
const depthOf = (data: t.TypeOf<typeof Book>): number =>
  depths.find(depth => depth >= Math.max(data.bids.length, data.asks.length)) ?? 1000;

class Books {
  readonly keeper: BookKeeper;
  readonly depth = new Map<string, number>();

  constructor(options: NormaliserOptions) {
    this.keeper = new BookKeeper({
      ...options,
      resyncFrames: symbol => [
        request('unsubscribe', [symbol], 'book'),
        request('subscribe', [symbol], 'book'),
      ],
    });
  }

  accept(data: unknown, symbol: string, whole: boolean, out: FrameSink): boolean {
    if (!Book.is(data)) return false;
    const [bids, asks] = [side(data.bids), side(data.asks)];
    if (bids === undefined || asks === undefined) {
      this.keeper.lose(symbol, 'a level is no price with a size', out);
      out.malformed(`a level of the book of ${symbol} is no price with a size`);
      return true;
    }
    const update = {
      symbol,
      bids,
      asks,
      ...(data.timestamp === undefined ? {} : { time: isoTime(data.timestamp) }),
      ...(data.checksum === undefined ? {} : { checksum: { expected: data.checksum, of: krakenChecksum } }),
    };
    if (whole) this.keeper.snapshot(update, out, this.depth.get(symbol) ?? depthOf(data));
    else this.keeper.diff(update, out);
    return true;
  }
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new Books(options);
  const bars = new BarRoller();
  const one = (channel: string, whole: boolean, data: unknown, out: FrameSink): boolean => {
    const named = t.type({ symbol: t.string }).is(data) ? normaliseSymbol(data.symbol) : undefined;
    if (named === undefined) return false;
    if (channel === 'ticker') return ticker(data, named, out);
    if (channel === 'trade') return trade(data, named, whole, out);
    if (channel === 'ohlc') return candle(data, named, bars, out);
    return channel === 'book' && books.accept(data, named, whole, out);
  };
  const handle = (frame: unknown, out: FrameSink): boolean => {
    if (Answer.is(frame)) {
      const { channel, symbol, depth } = frame.result ?? {};
      if (channel === 'book' && depth !== undefined && symbol !== undefined) {
        books.depth.set(normaliseSymbol(symbol) ?? symbol, depth);
      }
      answer(frame, out);
      return true;
    }
    if (!Frame.is(frame)) return false;
    if (frame.channel === 'heartbeat') out.heartbeat();
    else if (frame.channel === 'status') out.answer('status');
    else return frame.data?.every(each => one(frame.channel, frame.type === 'snapshot', each, out)) ?? false;
    return true;
  };
  return jsonNormaliser('kraken', { handle, parse, books: books.keeper, reset: () => bars.reset() });
}

/** Kraken's second websocket API. */
export const krakenV2: Venue = {
  name: 'kraken',
  venue: 'kraken',
  hosts: ['ws.kraken.com/v2'],
  channels: ['ticker', 'trades', 'book', 'bars'],
  ping: { everyMs: 30_000, frame: '{"method":"ping"}' },
  url: (): string => 'wss://ws.kraken.com/v2',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] =>
    channels.map(channel => request('subscribe', symbols, channel)),
  createNormaliser,
};
