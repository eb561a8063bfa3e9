import * as t from 'io-ts';
import { BookKeeper } from '../book-keeper.ts';
import { binanceQuotes, normaliseSymbol } from '../symbols.ts';
import { BinanceDepth, DepthSnapshot, DepthUpdate } from './binance-depth.ts';
import { numberOf, numeric, quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Combined = t.type({ stream: t.string, data: t.unknown });
const Named = t.type({ s: t.string });
const Trade = t.type({
  e: t.literal('trade'),
  t: t.number,
  p: numeric,
  q: numeric,
  T: t.number,
  m: t.boolean,
});
const AggTrade = t.type({
  e: t.literal('aggTrade'),
  a: t.number,
  p: numeric,
  q: numeric,
  T: t.number,
  m: t.boolean,
});
const BookTicker = t.intersection([
  t.type({ u: t.number, b: numeric, B: numeric, a: numeric, A: numeric }),
  t.partial({ E: t.number, T: t.number }),
]);
const Ticker = t.type({ e: t.literal('24hrTicker'), E: t.number, c: numeric });
const Kline = t.type({
  e: t.literal('kline'),
  k: t.type({
    t: t.number,
    T: t.number,
    o: numeric,
    h: numeric,
    l: numeric,
    c: numeric,
    v: numeric,
    x: t.boolean,
  }),
});
const Answer = t.intersection([
  t.type({ id: t.union([t.number, t.string, t.null]) }),
  t.partial({ result: t.unknown, error: t.type({ msg: t.string }) }),
]);
const Failure = t.type({ code: t.number, msg: t.string });

const streams: Readonly<Record<Channel, string>> = {
  ticker: 'bookTicker',
  trades: 'trade',
  book: 'depth@100ms',
  bars: 'kline_1m',
};

function trade(frame: unknown, symbol: string, whole: Set<string>, out: FrameSink): boolean {
  const single = Trade.is(frame) ? frame : undefined;
  const joined = AggTrade.is(frame) ? frame : undefined;
  const data = single ?? joined;
  if (data === undefined) return false;
  if (single !== undefined) whole.add(symbol);
  // Where both streams run, the joined trades are the single ones again.
  else if (whole.has(symbol)) return true;
  out.trade({
    symbol,
    price: numberOf(data.p),
    size: numberOf(data.q),
    side: data.m ? 'sell' : 'buy',
    tradeId: single === undefined ? `a${joined?.a ?? ''}` : String(single.t),
    time: data.T,
  });
  return true;
}

function kline(frame: t.TypeOf<typeof Kline>, symbol: string, out: FrameSink): void {
  const { k } = frame;
  if (!k.x) return;
  out.price({
    symbol,
    price: numberOf(k.c),
    time: k.T + 1,
    intervalMs: k.T + 1 - k.t,
    open: numberOf(k.o),
    high: numberOf(k.h),
    low: numberOf(k.l),
    volume: numberOf(k.v),
  });
}

/** Prices: of a ticker the last trade, of the best quotes their middle. */
function price(frame: unknown, symbol: string, out: FrameSink): boolean {
  if (Kline.is(frame)) kline(frame, symbol, out);
  else if (Ticker.is(frame)) out.price({ symbol, price: numberOf(frame.c), time: frame.E });
  else if (BookTicker.is(frame)) {
    const middle = (numberOf(frame.b) + numberOf(frame.a)) / 2;
    const time = frame.T ?? frame.E ?? out.timeless;
    out.price({ symbol, price: middle, time, ...quote(frame.b, frame.a) });
  } else return false;
  return true;
}

function answer(frame: unknown, out: FrameSink): boolean {
  if (Failure.is(frame)) out.error(`${frame.code} ${frame.msg}`);
  else if (Answer.is(frame)) {
    if (frame.error === undefined) out.answer(`request ${frame.id ?? ''}`);
    else out.error(frame.error.msg);
  } else return false;
  return true;
}

interface Market {
  readonly name: string;
  readonly socket: string;
  readonly rest: string;
  readonly hosts: readonly string[];
}

const rules = { quotes: binanceQuotes };

const symbolOf = (url: string): string | undefined => {
  const name = URL.canParse(url) ? new URL(url).searchParams.get('symbol') : null;
  return name === null ? undefined : normaliseSymbol(name, rules);
};

function normaliserOf(market: Market, options: NormaliserOptions): Normaliser {
  const keeper = new BookKeeper(options);
  const depth = new BinanceDepth(keeper, symbol => `${market.rest}?symbol=${wireSymbol(symbol)}&limit=1000`);
  const whole = new Set<string>();
  const handle = (frame: unknown, out: FrameSink): boolean => {
    const data = Combined.is(frame) ? frame.data : frame;
    if (DepthSnapshot.is(data)) return depth.snapshot(undefined, data, out);
    if (!Named.is(data)) return answer(data, out);
    const symbol = normaliseSymbol(data.s, rules);
    if (symbol === undefined) return false;
    if (DepthUpdate.is(data)) depth.update(symbol, data, out);
    else return trade(data, symbol, whole, out) || price(data, symbol, out);
    return true;
  };
  const handleRest = (url: string, frame: unknown, out: FrameSink): boolean =>
    DepthSnapshot.is(frame) && depth.snapshot(symbolOf(url), frame, out);
  return jsonNormaliser(market.name, { handle, handleRest, books: keeper, reset: () => depth.reset() });
}

const wireSymbol = (symbol: string): string => {
  const [base = '', quoteAsset = '', ...rest] = symbol.split('-');
  return [base + quoteAsset, ...rest].join('_');
};

const venueOf = (market: Market): Venue => ({
  name: market.name,
  venue: market.name,
  hosts: market.hosts,
  channels: ['ticker', 'trades', 'book', 'bars'],
  url({ symbols, channels }: Subscription): string {
    const names = symbols.flatMap(symbol =>
      channels.map(channel => `${wireSymbol(symbol).toLowerCase()}@${streams[channel]}`),
    );
    return `${market.socket}/stream?streams=${names.join('/')}`;
  },
  // The address holds the subscription.
  subscribeFrames: (): readonly string[] => [],
  createNormaliser: (options: NormaliserOptions = {}): Normaliser => normaliserOf(market, options),
});

/** Binance spot, combined streams; whole books by REST. */
export const binance: Venue = venueOf({
  name: 'binance',
  socket: 'wss://stream.binance.com:9443',
  rest: 'https://api.binance.com/api/v3/depth',
  hosts: ['stream.binance.com', 'api.binance.com'],
});

/** Binance USD-M futures: another market than spot, so a venue of its own. */
export const binanceUsdm: Venue = venueOf({
  name: 'binance-usdm',
  socket: 'wss://fstream.binance.com',
  rest: 'https://fapi.binance.com/fapi/v1/depth',
  hosts: ['fstream.binance.com', 'fapi.binance.com'],
});
