import * as t from 'io-ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelOf, levelsOf, type Level } from '../order-book.ts';
import { normaliseSymbol } from '../symbols.ts';
import { isoTime, numberOf, numeric, quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Typed = t.intersection([
  t.type({ type: t.string }),
  t.partial({ product_id: t.string, message: t.string, reason: t.string }),
]);
const Ticker = t.intersection([
  t.type({ price: numeric }),
  t.partial({ best_bid: numeric, best_ask: numeric, time: t.string }),
]);
const Match = t.type({
  trade_id: numeric,
  price: numeric,
  size: numeric,
  side: t.keyof({ buy: null, sell: null }),
  time: t.string,
});
const Snapshot = t.type({ bids: t.unknown, asks: t.unknown });
const Change = t.type({ changes: t.array(t.array(t.unknown)), time: t.string });

const channelNames: Readonly<Partial<Record<Channel, string>>> = {
  ticker: 'ticker',
  trades: 'matches',
  book: 'level2_batch',
};

const request = (
  type: string,
  symbols: readonly string[],
  channels: readonly (string | undefined)[],
): string => JSON.stringify({ type, product_ids: symbols, channels });

function ticker(frame: unknown, symbol: string, out: FrameSink): boolean {
  if (!Ticker.is(frame)) return false;
  const time = frame.time === undefined ? out.timeless : isoTime(frame.time);
  out.price({ symbol, price: numberOf(frame.price), time, ...quote(frame.best_bid, frame.best_ask) });
  return true;
}

function match(frame: unknown, symbol: string, old: boolean, out: FrameSink): boolean {
  if (!Match.is(frame)) return false;
  const value = {
    symbol,
    price: numberOf(frame.price),
    size: numberOf(frame.size),
    // The venue names the maker's side.
    side: frame.side === 'buy' ? ('sell' as const) : ('buy' as const),
    tradeId: String(frame.trade_id),
    time: isoTime(frame.time),
  };
  if (old) out.history(value);
  else out.trade(value);
  return true;
}

/** The levels of one side among changes of both; undefined where one is no level. */
function changed(changes: readonly (readonly unknown[])[], side: string): readonly Level[] | undefined {
  const own = changes.filter(change => change[0] === side);
  const levels = own.map(change => levelOf(change[1], change[2])).filter(level => level !== undefined);
  return levels.length === own.length ? levels : undefined;
}

function book(frame: unknown, symbol: string, books: BookKeeper, out: FrameSink): boolean {
  const whole = Snapshot.is(frame);
  const change = Change.is(frame) ? frame : undefined;
  if (!whole && change === undefined) return false;
  const bids = whole ? levelsOf(frame.bids) : changed(change?.changes ?? [], 'buy');
  const asks = whole ? levelsOf(frame.asks) : changed(change?.changes ?? [], 'sell');
  if (bids === undefined || asks === undefined) {
    books.lose(symbol, 'a level is no price with a size', out);
    out.malformed(`a level of the book of ${symbol} is no price with a size`);
  } else if (whole) books.snapshot({ symbol, bids, asks }, out);
  else books.diff({ symbol, bids, asks, time: isoTime(change?.time ?? '') }, out);
  return true;
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new BookKeeper({
    ...options,
    resyncFrames: symbol =>
      ['unsubscribe', 'subscribe'].map(type => request(type, [symbol], [channelNames.book])),
  });
  const handle = (frame: unknown, out: FrameSink): boolean => {
    if (!Typed.is(frame)) return false;
    const { type } = frame;
    if (type === 'subscriptions') out.answer('subscriptions');
    else if (type === 'heartbeat') out.heartbeat();
    else if (type === 'error')
      out.error(`${frame.message ?? 'no reason given'} ${frame.reason ?? ''}`.trim());
    else {
      const symbol = normaliseSymbol(frame.product_id ?? '');
      if (symbol === undefined) return false;
      if (type === 'ticker') return ticker(frame, symbol, out);
      if (type === 'match' || type === 'last_match') return match(frame, symbol, type === 'last_match', out);
      return (type === 'snapshot' || type === 'l2update') && book(frame, symbol, books, out);
    }
    return true;
  };
  return jsonNormaliser('coinbase', { handle, books });
}

/** Coinbase Exchange, the public feed without a key. */
export const coinbaseExchange: Venue = {
  name: 'coinbase',
  venue: 'coinbase',
  hosts: ['ws-feed.exchange.coinbase.com', 'ws-feed.pro.coinbase.com'],
  channels: ['ticker', 'trades', 'book'],
  url: (): string => 'wss://ws-feed.exchange.coinbase.com',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] => [
    request('subscribe', symbols, [...channels.map(channel => channelNames[channel]), 'heartbeat']),
  ],
  createNormaliser,
};
