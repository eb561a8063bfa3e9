import * as t from 'io-ts';
import { krakenChecksum } from '../book-checksums.ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelsOf } from '../order-book.ts';
import { normaliseSymbol, splitSymbol } from '../symbols.ts';
import { BarRoller } from './bar-roller.ts';
import { numberOf, numeric, quote, record, secondsTime } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Event = t.intersection([
  t.type({ event: t.string }),
  t.partial({ status: t.string, errorMessage: t.string, pair: t.string }),
]);
const Ticker = t.type({ a: t.array(t.unknown), b: t.array(t.unknown), c: t.array(t.unknown) });
const Trades = t.array(t.array(t.string));
const Candle = t.array(numeric);

const bookDepth = 500;
const names: Readonly<
  Record<Channel, { readonly name: string; readonly depth?: number; readonly interval?: number }>
> = {
  ticker: { name: 'ticker' },
  trades: { name: 'trade' },
  book: { name: 'book', depth: bookDepth },
  bars: { name: 'ohlc', interval: 1 },
};

/** Kraken says XBT where its second version says BTC. */
function pairOf(symbol: string): string {
  const [base, quoteAsset] = splitSymbol(symbol);
  const own = (asset: string): string => (asset === 'BTC' ? 'XBT' : asset === 'DOGE' ? 'XDG' : asset);
  return `${own(base)}/${own(quoteAsset)}`;
}

const subscribe = (
  event: 'subscribe' | 'unsubscribe',
  symbols: readonly string[],
  channel: Channel,
): string => JSON.stringify({ event, pair: symbols.map(pairOf), subscription: names[channel] });

function eventOf(frame: t.TypeOf<typeof Event>, out: FrameSink): boolean {
  if (frame.event === 'heartbeat' || frame.event === 'pong') out.heartbeat();
  else if (frame.event === 'error' || frame.status === 'error') {
    out.error(`${frame.errorMessage ?? 'no reason given'} ${frame.pair ?? ''}`.trim());
  } else out.answer(`${frame.event} ${frame.status ?? ''} ${frame.pair ?? ''}`.trim());
  return true;
}

function ticker(symbol: string, data: unknown, out: FrameSink): boolean {
  if (!Ticker.is(data)) return false;
  const { a, b, c } = data;
  out.price({ symbol, price: numberOf(c[0]), time: out.timeless, ...quote(b[0], a[0]) });
  return true;
}

function trades(symbol: string, data: unknown, out: FrameSink): boolean {
  if (!Trades.is(data)) return false;
  for (const row of data) {
    const [price, size, time, side] = row;
    out.trade(
      {
        symbol,
        price: numberOf(price),
        size: numberOf(size),
        side: side === 'b' ? 'buy' : 'sell',
        time: secondsTime(time),
      },
      // No ids in this version: the digits of all fields, the time to the microsecond, are the next best.
      row.join(' '),
    );
  }
  return true;
}

function candle(symbol: string, data: unknown, bars: BarRoller, out: FrameSink): boolean {
  if (!Candle.is(data)) return false;
  const [, end, open, high, low, close, , volume] = data.map(numberOf);
  const bar = bars.roll({
    symbol,
    price: close ?? Number.NaN,
    time: (end ?? Number.NaN) * 1000,
    intervalMs: 60_000,
    open: open ?? Number.NaN,
    high: high ?? Number.NaN,
    low: low ?? Number.NaN,
    volume: volume ?? Number.NaN,
  });
  if (bar !== undefined) out.price(bar);
  return true;
}

/** The latest time that a level was changed, which a row carries third. */
function changeTime(rows: unknown): number {
  if (!Array.isArray(rows)) return 0;
  const list: readonly unknown[] = rows;
  return list.reduce<number>(
    (latest, row) => Math.max(latest, Array.isArray(row) ? secondsTime(row[2]) || 0 : 0),
    0,
  );
}

function book(
  symbol: string,
  parts: readonly unknown[],
  depth: number,
  books: BookKeeper,
  out: FrameSink,
): boolean {
  const objects = parts.filter(part => record.is(part));
  if (objects.length < parts.length) return false;
  // The two sides of one change may come as two objects.
  const data = objects.reduce((all, part) => ({ ...all, ...part }), {});
  const whole = 'as' in data || 'bs' in data;
  const [bidRows, askRows] = whole ? [data['bs'], data['as']] : [data['b'], data['a']];
  const [bids, asks] = [levelsOf(bidRows ?? []), levelsOf(askRows ?? [])];
  if (bids === undefined || asks === undefined) {
    books.lose(symbol, 'a level is no price with a size', out);
    out.malformed(`a level of the book of ${symbol} is no price with a size`);
    return true;
  }
  if (whole) books.snapshot({ symbol, bids, asks }, out, depth);
  else {
    const time = Math.max(changeTime(bidRows), changeTime(askRows));
    const { c } = data;
    const checksum = c === undefined ? {} : { checksum: { expected: numberOf(c), of: krakenChecksum } };
    books.diff({ symbol, bids, asks, ...(time > 0 ? { time } : {}), ...checksum }, out);
  }
  return true;
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new BookKeeper({
    ...options,
    resyncFrames: symbol => [
      subscribe('unsubscribe', [symbol], 'book'),
      subscribe('subscribe', [symbol], 'book'),
    ],
  });
  const bars = new BarRoller();
  const data = (frame: readonly unknown[], out: FrameSink): boolean => {
    const [channel, pair] = frame.slice(-2);
    const symbol = typeof pair === 'string' ? normaliseSymbol(pair) : undefined;
    if (typeof channel !== 'string' || symbol === undefined) return false;
    const [name, argument] = channel.split('-');
    if (name === 'ticker') return ticker(symbol, frame[1], out);
    if (name === 'trade') return trades(symbol, frame[1], out);
    if (name === 'ohlc') return candle(symbol, frame[1], bars, out);
    return name === 'book' && book(symbol, frame.slice(1, -2), Number(argument), books, out);
  };
  return jsonNormaliser('kraken', {
    handle: (frame, out) =>
      Array.isArray(frame) ? data(frame, out) : Event.is(frame) && eventOf(frame, out),
    books,
    reset: () => bars.reset(),
  });
}

/** Kraken's first websocket API, which most recorded sessions speak. */
export const krakenV1: Venue = {
  name: 'kraken-v1',
  venue: 'kraken',
  hosts: ['ws.kraken.com', 'api.kraken.com'],
  channels: ['ticker', 'trades', 'book', 'bars'],
  ping: { everyMs: 30_000, frame: '{"event":"ping"}' },
  url: (): string => 'wss://ws.kraken.com',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] =>
    channels.map(channel => subscribe('subscribe', symbols, channel)),
  createNormaliser,
};
