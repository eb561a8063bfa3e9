import * as t from 'io-ts';
import { bitfinexChecksum } from '../book-checksums.ts';
import { BookKeeper } from '../book-keeper.ts';
import { levelOf, type Level } from '../order-book.ts';
import { normaliseSymbol, splitSymbol } from '../symbols.ts';
import { BarRoller } from './bar-roller.ts';
import { quote } from './decoding.ts';
import type { FrameSink } from './frame-sink.ts';
import { jsonNormaliser } from './normaliser.ts';
import type { Channel, Normaliser, NormaliserOptions, Subscription, Venue } from './venue.ts';

const Event = t.intersection([
  t.type({ event: t.string }),
  t.partial({
    chanId: t.number,
    channel: t.string,
    symbol: t.string,
    key: t.string,
    flags: t.number,
    status: t.string,
    msg: t.string,
    code: t.number,
  }),
]);
const Numbers = t.array(t.number);
const Rows = t.array(Numbers);

/** Frames end in a number of the connection; books are followed by their checksum. */
const sequenceFlag = 65_536;
const checksumFlag = 131_072;

const rules = { aliases: { UST: 'USDT', UDC: 'USDC' } };
const channelNames: Readonly<Record<Channel, string>> = {
  ticker: 'ticker',
  trades: 'trades',
  book: 'book',
  bars: 'candles',
};

interface Subscribed {
  readonly channel: string;
  readonly symbol: string;
}

const pairOf = (symbol: string): string => {
  const own = (asset: string): string => (asset === 'USDT' ? 'UST' : asset === 'USDC' ? 'UDC' : asset);
  const [base, quoteAsset] = splitSymbol(symbol).map(own);
  return base?.length === 3 && quoteAsset?.length === 3
    ? `t${base}${quoteAsset}`
    : `t${base ?? ''}:${quoteAsset ?? ''}`;
};

/** `tBTCUSD` has three letters a side, everything longer a colon between. */
function symbolOf(text: string): string | undefined {
  const name = text.replace(/^t/, '');
  return normaliseSymbol(name.length === 6 ? `${name.slice(0, 3)}-${name.slice(3)}` : name, rules);
}

function request(symbol: string, channel: Channel): string {
  const pair = pairOf(symbol);
  const settings = { prec: 'P0', freq: 'F0', len: '100' };
  return JSON.stringify({
    event: 'subscribe',
    channel: channelNames[channel],
    ...(channel === 'bars' ? { key: `trade:1m:${pair}` } : { symbol: pair }),
    ...(channel === 'book' ? settings : {}),
  });
}

function ticker(symbol: string, data: unknown, out: FrameSink): boolean {
  if (!Numbers.is(data)) return false;
  const [bid, , ask, , , , last] = data;
  out.price({ symbol, price: last ?? Number.NaN, time: out.timeless, ...quote(bid, ask) });
  return true;
}

function trade(symbol: string, row: unknown, old: boolean, out: FrameSink): boolean {
  if (!Numbers.is(row) || row.length < 4) return false;
  const [id, time, amount, price] = row;
  const value = {
    symbol,
    price: price ?? Number.NaN,
    size: Math.abs(amount ?? Number.NaN),
    side: (amount ?? 0) < 0 ? ('sell' as const) : ('buy' as const),
    tradeId: String(id),
    time: time ?? Number.NaN,
  };
  if (old) out.history(value);
  else out.trade(value);
  return true;
}

function candle(symbol: string, row: readonly number[], bars: BarRoller, out: FrameSink): void {
  const [start, open, close, high, low, volume] = row;
  const bar = bars.roll({
    symbol,
    price: close ?? Number.NaN,
    time: (start ?? Number.NaN) + 60_000,
    intervalMs: 60_000,
    open: open ?? Number.NaN,
    high: high ?? Number.NaN,
    low: low ?? Number.NaN,
    volume: volume ?? Number.NaN,
  });
  if (bar !== undefined) out.price(bar);
}

function candles(symbol: string, data: unknown, bars: BarRoller, out: FrameSink): boolean {
  if (Numbers.is(data) && data.length >= 6) candle(symbol, data, bars, out);
  // Newest first, and only the newest is still open.
  else if (Rows.is(data)) for (const row of data.slice(0, 1)) candle(symbol, row, bars, out);
  else return false;
  return true;
}

interface Sides {
  readonly bids: Level[];
  readonly asks: Level[];
}

/** `[price, count, amount]`: amount below zero is an ask, count 0 removes the level. */
function sidesOf(rows: readonly (readonly number[])[]): Sides | undefined {
  const sides: Sides = { bids: [], asks: [] };
  for (const [price, count, amount] of rows) {
    const level = levelOf(price, count === 0 ? 0 : Math.abs(amount ?? Number.NaN));
    if (level === undefined) return undefined;
    ((amount ?? 0) < 0 ? sides.asks : sides.bids).push(level);
  }
  return sides;
}

class Connection {
  readonly #channels = new Map<number, Subscribed>();
  readonly #bars = new BarRoller();
  readonly books: BookKeeper;
  #numbered = false;
  #last: number | undefined;

  constructor(options: NormaliserOptions) {
    this.books = new BookKeeper({
      ...options,
      resyncFrames: symbol => this.#resync(symbol),
      // One level a frame: a price that moves through the spread comes in two frames.
      crossedPatience: 10,
    });
  }

  reset(): void {
    this.#channels.clear();
    this.#bars.reset();
    this.#numbered = false;
    this.#last = undefined;
  }

  event(frame: t.TypeOf<typeof Event>, out: FrameSink): boolean {
    const { event, chanId, channel } = frame;
    if (event === 'pong') out.heartbeat();
    else if (event === 'error')
      out.error(`${frame.code ?? ''} ${frame.msg ?? ''} ${frame.symbol ?? ''}`.trim());
    else {
      if (event === 'conf') this.#numbered = ((frame.flags ?? 0) & sequenceFlag) !== 0;
      const symbol = symbolOf(frame.symbol ?? frame.key?.split(':').slice(2).join(':') ?? '');
      if (event === 'subscribed' && chanId !== undefined && channel !== undefined && symbol !== undefined) {
        this.#channels.set(chanId, { channel, symbol });
      }
      if (event === 'unsubscribed' && chanId !== undefined) this.#channels.delete(chanId);
      out.answer(`${event} ${channel ?? ''} ${symbol ?? ''}`.trim());
    }
    return true;
  }

  data(frame: readonly unknown[], out: FrameSink): boolean {
    const parts = this.#counted(frame, out);
    const [id, first, second] = parts;
    if (first === 'hb') {
      out.heartbeat();
      return true;
    }
    const known = typeof id === 'number' ? this.#channels.get(id) : undefined;
    if (known === undefined) return false;
    const { channel, symbol } = known;
    if (first === 'cs' && typeof second === 'number')
      this.books.verify(symbol, second, bitfinexChecksum, out);
    else if (channel === 'trades') return this.#trades(symbol, first, second, out);
    else if (channel === 'ticker') return ticker(symbol, first, out);
    else if (channel === 'candles') return candles(symbol, first, this.#bars, out);
    else return channel === 'book' && this.#book(symbol, first, out);
    return true;
  }

  #counted(frame: readonly unknown[], out: FrameSink): readonly unknown[] {
    const number = frame.at(-1);
    if (!this.#numbered || typeof number !== 'number') return frame;
    const last = this.#last ?? number - 1;
    this.#last = Math.max(number, last);
    if (number > last + 1) this.books.loseAll(`frame ${number} after ${last}`, out);
    return frame.slice(0, -1);
  }

  #trades(symbol: string, first: unknown, second: unknown, out: FrameSink): boolean {
    // Each trade comes as executed and again as updated, under one id.
    if (first === 'te' || first === 'tu') return trade(symbol, second, false, out);
    return Rows.is(first) && first.toReversed().every(row => trade(symbol, row, true, out));
  }

  #book(symbol: string, data: unknown, out: FrameSink): boolean {
    const whole = Rows.is(data);
    const rows = whole ? data : Numbers.is(data) ? [data] : undefined;
    if (rows === undefined) return false;
    const sides = sidesOf(rows);
    if (sides === undefined) {
      this.books.lose(symbol, 'a level is no price with a size', out);
      out.malformed(`a level of the book of ${symbol} is no price with a size`);
    } else if (whole) this.books.snapshot({ symbol, ...sides }, out);
    else this.books.diff({ symbol, ...sides }, out);
    return true;
  }

  #resync(symbol: string): readonly string[] {
    const found = [...this.#channels].find(
      ([, known]) => known.channel === 'book' && known.symbol === symbol,
    );
    if (found === undefined) return [request(symbol, 'book')];
    return [JSON.stringify({ event: 'unsubscribe', chanId: found[0] }), request(symbol, 'book')];
  }
}

function createNormaliser(options: NormaliserOptions = {}): Normaliser {
  const connection = new Connection(options);
  return jsonNormaliser('bitfinex', {
    handle: (frame, out) =>
      Array.isArray(frame) ? connection.data(frame, out) : Event.is(frame) && connection.event(frame, out),
    books: connection.books,
    reset: () => connection.reset(),
  });
}

/** Bitfinex, API v2, with numbered frames and checksums of books. */
export const bitfinex: Venue = {
  name: 'bitfinex',
  venue: 'bitfinex',
  hosts: ['api-pub.bitfinex.com', 'api.bitfinex.com'],
  channels: ['ticker', 'trades', 'book', 'bars'],
  ping: { everyMs: 30_000, frame: '{"event":"ping","cid":1}' },
  url: (): string => 'wss://api-pub.bitfinex.com/ws/2',
  subscribeFrames: ({ symbols, channels }: Subscription): readonly string[] => [
    JSON.stringify({ event: 'conf', flags: sequenceFlag + checksumFlag }),
    ...symbols.flatMap(symbol => channels.map(channel => request(symbol, channel))),
  ],
  createNormaliser,
};
