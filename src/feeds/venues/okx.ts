import * as t from 'io-ts';
import { okxChecksum } from '../book-checksums.ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelsOf } from '../order-book.ts';
import { normaliseSymbol } from '../symbols.ts';
import { numberOf, numeric, quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Event = t.intersection([
  t.type({ event: t.string }),
  t.partial({ code: t.string, msg: t.string, arg: t.partial({ channel: t.string, instId: t.string }) }),
]);
const Frame = t.intersection([
  t.type({ arg: t.type({ channel: t.string, instId: t.string }), data: t.array(t.unknown) }),
  t.partial({ action: t.string }),
]);
const Ticker = t.type({ last: numeric, bidPx: numeric, askPx: numeric, ts: numeric });
const Trade = t.type({
  tradeId: t.string,
  px: numeric,
  sz: numeric,
  side: t.keyof({ buy: null, sell: null }),
  ts: numeric,
});
const Book = t.intersection([
  t.type({ bids: t.unknown, asks: t.unknown, ts: numeric }),
  t.partial({ checksum: t.number, seqId: t.number, prevSeqId: t.number }),
]);

const channelNames: Readonly<Partial<Record<Channel, string>>> = {
  ticker: 'tickers',
  trades: 'trades',
  book: 'books',
};

const request = (op: string, { symbols, channels }: Subscription): string =>
  JSON.stringify({
    op,
    args: channels.flatMap(channel => symbols.map(instId => ({ channel: channelNames[channel], instId }))),
  });

function ticker(data: unknown, symbol: string, out: FrameSink): boolean {
  if (!Ticker.is(data)) return false;
  out.price({
    symbol,
    price: numberOf(data.last),
    time: numberOf(data.ts),
    ...quote(data.bidPx, data.askPx),
  });
  return true;
}

function trade(data: unknown, symbol: string, out: FrameSink): boolean {
  if (!Trade.is(data)) return false;
  const { tradeId, px, sz, side, ts } = data;
  out.trade({ symbol, price: numberOf(px), size: numberOf(sz), side, tradeId, time: numberOf(ts) });
  return true;
}

class Books {
  readonly keeper: BookKeeper;
  readonly #sequences = new Map<string, number>();

  constructor(options: NormaliserOptions) {
    this.keeper = new BookKeeper({
      ...options,
      resyncFrames: symbol =>
        ['unsubscribe', 'subscribe'].map(op => request(op, { symbols: [symbol], channels: ['book'] })),
    });
  }

  accept(data: unknown, symbol: string, whole: boolean, out: FrameSink): boolean {
    if (!Book.is(data)) return false;
    const [bids, asks] = [levelsOf(data.bids), levelsOf(data.asks)];
    if (bids === undefined || asks === undefined) {
      this.keeper.lose(symbol, 'a level is no price with a size', out);
      out.malformed(`a level of the book of ${symbol} is no price with a size`);
      return true;
    }
    if (!whole && this.#missing(symbol, data.prevSeqId, out)) return true;
    if (data.seqId !== undefined) this.#sequences.set(symbol, data.seqId);
    const sequence = data.seqId === undefined ? {} : { sequence: data.seqId };
    // Newer servers number their updates and send 0 in place of a checksum.
    const compared = data.checksum !== undefined && !(data.checksum === 0 && data.seqId !== undefined);
    const checksum = compared ? { checksum: { expected: data.checksum ?? 0, of: okxChecksum } } : {};
    const update = { symbol, bids, asks, time: numberOf(data.ts), ...sequence, ...checksum };
    if (whole) this.keeper.snapshot(update, out);
    else this.keeper.diff(update, out);
    return true;
  }

  #missing(symbol: string, previous: number | undefined, out: FrameSink): boolean {
    const last = this.#sequences.get(symbol);
    if (previous === undefined || last === undefined || previous === last) return false;
    if (this.keeper.live(symbol)) this.keeper.lose(symbol, `update after ${previous}, known is ${last}`, out);
    return true;
  }
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const books = new Books(options);
  const handle = (frame: unknown, out: FrameSink): boolean => {
    if (Frame.is(frame)) {
      const { channel, instId } = frame.arg;
      const symbol = normaliseSymbol(instId);
      if (symbol === undefined) return false;
      return frame.data.every(each => {
        if (channel === 'tickers') return ticker(each, symbol, out);
        if (channel === 'trades') return trade(each, symbol, out);
        return channel === 'books' && books.accept(each, symbol, frame.action === 'snapshot', out);
      });
    }
    if (!Event.is(frame)) return false;
    if (frame.event === 'pong') out.heartbeat();
    else if (frame.event === 'error') out.error(`${frame.code ?? ''} ${frame.msg ?? ''}`.trim());
    else out.answer(`${frame.event} ${frame.arg?.channel ?? ''} ${frame.arg?.instId ?? ''}`.trim());
    return true;
  };
  // The answer to a ping is the bare word.
  const parse = (text: string): unknown => (text === 'pong' ? { event: 'pong' } : JSON.parse(text));
  return jsonNormaliser('okx', { handle, parse, books: books.keeper });
}

/** OKX, API v5. Sizes of its swaps and futures are in contracts, as the venue gives them. */
export const okx: Venue = {
  name: 'okx',
  venue: 'okx',
  hosts: ['ws.okx.com', 'wsus.okx.com', 'www.okx.com'],
  channels: ['ticker', 'trades', 'book'],
  ping: { everyMs: 20_000, frame: 'ping' },
  url: (): string => 'wss://ws.okx.com:8443/ws/v5/public',
  subscribeFrames: (subscription: Subscription): readonly string[] => [request('subscribe', subscription)],
  createNormaliser,
};
