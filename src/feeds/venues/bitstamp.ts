import * as t from 'io-ts';
import { BookKeeper, type BookUpdate } from '../book-keeper.ts';
import { levelsOf } from '../order-book.ts';
import { bitstampQuotes, normaliseSymbol } from '../symbols.ts';
import { numberOf, numeric } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Frame = t.intersection([
  t.type({ event: t.string }),
  t.partial({ channel: t.string, data: t.unknown }),
]);
const Trade = t.intersection([
  t.type({ id: numeric, amount: numeric, price: numeric, type: t.number, microtimestamp: t.string }),
  t.partial({ amount_str: t.string, price_str: t.string }),
]);
const Book = t.type({ microtimestamp: t.string, bids: t.unknown, asks: t.unknown });
const Message = t.type({ message: t.string });

const channelNames: Readonly<Partial<Record<Channel, string>>> = {
  trades: 'live_trades',
  // Whole books of 100 levels in every frame: nothing to be joined, and nothing to be lost.
  book: 'order_book',
};
const rules = { quotes: bitstampQuotes };
const maxWaiting = 1_000;
const microseconds = (text: string): number => Math.floor(Number(text) / 1000);

function trade(data: unknown, symbol: string, out: FrameSink): boolean {
  if (!Trade.is(data)) return false;
  out.trade({
    symbol,
    price: numberOf(data.price_str ?? data.price),
    size: numberOf(data.amount_str ?? data.amount),
    side: data.type === 0 ? 'buy' : 'sell',
    tradeId: String(data.id),
    time: microseconds(data.microtimestamp),
  });
  return true;
}

type Stamped = BookUpdate & { readonly stamp: number };

/** Whole books from frames, or from REST and changes; the venue's changes carry no numbers, only times. */
class Books {
  readonly keeper: BookKeeper;
  readonly #stamps = new Map<string, number>();
  readonly #waiting = new Map<string, Stamped[]>();

  constructor(options: NormaliserOptions) {
    this.keeper = new BookKeeper(options);
  }

  whole(data: unknown, symbol: string, out: FrameSink): boolean {
    const update = updateOf(data, symbol);
    if (update === undefined) return false;
    this.#stamps.set(symbol, update.stamp);
    this.keeper.snapshot(update, out);
    for (const each of this.#waiting.get(symbol) ?? []) this.#apply(each, out);
    this.#waiting.delete(symbol);
    return true;
  }

  change(data: unknown, symbol: string, out: FrameSink): boolean {
    const update = updateOf(data, symbol);
    if (update === undefined) {
      if (!Book.is(data)) return false;
      this.keeper.lose(symbol, 'a level is no price with a size', out);
      out.malformed(`a level of the book of ${symbol} is no price with a size`);
    } else if (this.keeper.live(symbol)) this.#apply(update, out);
    else this.#wait(update, out);
    return true;
  }

  reset(): void {
    this.#waiting.clear();
    this.#stamps.clear();
  }

  #apply(update: Stamped, out: FrameSink): void {
    if (update.stamp <= (this.#stamps.get(update.symbol) ?? 0)) return;
    this.#stamps.set(update.symbol, update.stamp);
    this.keeper.diff(update, out);
  }

  #wait(update: Stamped, out: FrameSink): void {
    const { symbol } = update;
    const waiting = this.#waiting.get(symbol) ?? [];
    if (!this.#waiting.has(symbol)) out.control({ kind: 'snapshot', symbol, url: restUrl(symbol) });
    this.#waiting.set(symbol, waiting);
    waiting.push(update);
    if (waiting.length > maxWaiting) waiting.shift();
  }
}

const pairOf = (symbol: string): string => symbol.replaceAll('-', '').toLowerCase();
const restUrl = (symbol: string): string => `https://www.bitstamp.net/api/v2/order_book/${pairOf(symbol)}`;

function updateOf(data: unknown, symbol: string): Stamped | undefined {
  if (!Book.is(data)) return undefined;
  const [bids, asks] = [levelsOf(data.bids), levelsOf(data.asks)];
  if (bids === undefined || asks === undefined) return undefined;
  const stamp = Number(data.microtimestamp);
  return { symbol, bids, asks, stamp, time: microseconds(data.microtimestamp) };
}

function eventOf(frame: t.TypeOf<typeof Frame>, out: FrameSink): boolean {
  const text = Message.is(frame.data) ? frame.data.message : '';
  if (frame.event === 'bts:heartbeat') out.heartbeat();
  else if (frame.event === 'bts:error') out.error(text === '' ? 'no reason given' : text);
  else if (frame.event.startsWith('bts:')) out.answer(`${frame.event} ${frame.channel ?? ''}`.trim());
  else return false;
  return true;
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new Books(options);
  const handle = (frame: unknown, out: FrameSink): boolean => {
    if (!Frame.is(frame)) return false;
    if (frame.event.startsWith('bts:')) return eventOf(frame, out);
    const [, channel, pair] = /^([a-z_]+)_([a-z0-9]+)$/.exec(frame.channel ?? '') ?? [];
    const symbol = normaliseSymbol(pair ?? '', rules);
    if (symbol === undefined) return false;
    if (channel === 'live_trades') return frame.event === 'trade' && trade(frame.data, symbol, out);
    if (channel === 'order_book') return books.whole(frame.data, symbol, out);
    return channel === 'diff_order_book' && books.change(frame.data, symbol, out);
  };
  const handleRest = (url: string, frame: unknown, out: FrameSink): boolean => {
    const pair = /\/order_book\/([a-z0-9]+)/.exec(url)?.[1];
    const symbol = normaliseSymbol(pair ?? '', rules);
    return symbol !== undefined && books.whole(frame, symbol, out);
  };
  return jsonNormaliser('bitstamp', { handle, handleRest, books: books.keeper, reset: () => books.reset() });
}

/** Bitstamp; it has no ticker stream and no candles. */
export const bitstamp: Venue = {
  name: 'bitstamp',
  venue: 'bitstamp',
  hosts: ['ws.bitstamp.net', 'www.bitstamp.net'],
  channels: ['trades', 'book'],
  ping: { everyMs: 30_000, frame: '{"event":"bts:heartbeat"}' },
  url: (): string => 'wss://ws.bitstamp.net',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] =>
    channels.flatMap(name =>
      symbols.map(symbol => {
        const channel = `${channelNames[name] ?? ''}_${pairOf(symbol)}`;
        return JSON.stringify({ event: 'bts:subscribe', data: { channel } });
      }),
    ),
  createNormaliser,
};
