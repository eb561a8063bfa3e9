import { crc32 } from 'node:zlib';

/**
 * One market of a venue, BTC-USD, in the venue's published format. Trade `n` costs `n`. Change `n` of the book
 * leads from `n - 1` to `n`, whose best bid is `n` large.
 */
export interface VenueSession {
  /** What the venue answers to the subscription. */
  readonly greeting: readonly string[];
  readonly trade: (n: number) => string;
  /** The whole book, in the stream; undefined where it is to be fetched. */
  readonly whole?: (n: number) => string;
  /** The whole book as it is fetched. */
  readonly fetched?: (n: number) => string;
  readonly change: (n: number) => string;
  /** Change `n` as it comes where the one before it was lost; else how the loss of a book shows. */
  readonly broken: (n: number) => string;
  /** Whether the venue is asked for a new whole book over the socket. */
  readonly isAsked: boolean;
  /** How the loss is told. */
  readonly loss: RegExp;
}

const began = 1_700_000_000_000;
const json = (value: unknown): string => JSON.stringify(value);
const at = (n: number): number => began + n * 10;
const iso = (n: number): string => new Date(at(n)).toISOString();

const bitstampBook = (n: number, bid = '100'): string =>
  json({
    event: 'data',
    channel: 'order_book_btcusd',
    data: {
      timestamp: String(Math.floor(at(n) / 1000)),
      microtimestamp: `${at(n)}000`,
      bids: [[bid, String(n)]],
      asks: [['101', '1']],
    },
  });

const bitstamp: VenueSession = {
  greeting: ['live_trades_btcusd', 'order_book_btcusd'].map(channel =>
    json({ event: 'bts:subscription_succeeded', channel, data: {} }),
  ),
  trade: n =>
    json({
      event: 'trade',
      channel: 'live_trades_btcusd',
      data: {
        id: n,
        timestamp: String(Math.floor(at(n) / 1000)),
        amount: 1,
        amount_str: '1.00000000',
        price: n,
        price_str: `${n}.00`,
        type: 0,
        microtimestamp: `${at(n)}000`,
        buy_order_id: 1,
        sell_order_id: 2,
      },
    }),
  whole: bitstampBook,
  change: bitstampBook,
  // Every frame is a whole book: one that cannot be is all that can go wrong.
  broken: n => bitstampBook(n, '102'),
  isAsked: false,
  loss: /crossed: bid 102 is not below ask 101/,
};

const binanceStream = (name: string, data: object): string => json({ stream: `btcusd@${name}`, data });
const binanceTrade = (n: number): string =>
  binanceStream('trade', {
    e: 'trade',
    E: at(n),
    T: at(n),
    s: 'BTCUSD',
    t: n,
    p: `${n}.00`,
    q: '1.000',
    m: false,
  });

const binance: VenueSession = {
  greeting: [],
  trade: binanceTrade,
  fetched: n => json({ lastUpdateId: n, bids: [['100.00', String(n)]], asks: [['101.00', '1']] }),
  change: n =>
    binanceStream('depth@100ms', {
      e: 'depthUpdate',
      E: at(n),
      s: 'BTCUSD',
      U: n,
      u: n,
      b: [['100.00', String(n)]],
      a: [],
    }),
  broken: n => binance.change(n),
  isAsked: false,
  loss: /update 8 does not follow 6/,
};

const binanceUsdm: VenueSession = {
  greeting: [],
  trade: binanceTrade,
  fetched: n =>
    json({ lastUpdateId: n, E: at(n), T: at(n), bids: [['100.00', String(n)]], asks: [['101.00', '1']] }),
  // Its numbers have gaps: which change comes before is in `pu`.
  change: n =>
    binanceStream('depth@100ms', {
      e: 'depthUpdate',
      E: at(n),
      T: at(n),
      s: 'BTCUSD',
      U: n,
      u: n,
      pu: n - 1,
      b: [['100.00', String(n)]],
      a: [],
    }),
  broken: n => binanceUsdm.change(n),
  isAsked: false,
  loss: /update 7 does not follow 6/,
};

/** Of the book of change `n`; `ask`: the size of its best ask. */
const krakenSum = (n: number, ask = 1): number => crc32(`101${ask}100${n}`);

const krakenV2Book = (type: string, n: number, asks: readonly object[], checksum: number): string =>
  json({
    channel: 'book',
    type,
    data: [
      {
        symbol: 'BTC/USD',
        bids: [{ price: 100, qty: n }],
        asks,
        checksum,
        ...(n > 1 && { timestamp: iso(n) }),
      },
    ],
  });

const kraken: VenueSession = {
  greeting: [
    json({ channel: 'status', type: 'update', data: [{ system: 'online', api_version: 'v2' }] }),
    json({ method: 'subscribe', success: true, result: { channel: 'trade', symbol: 'BTC/USD' } }),
    json({ method: 'subscribe', success: true, result: { channel: 'book', symbol: 'BTC/USD', depth: 500 } }),
  ],
  trade: n =>
    json({
      channel: 'trade',
      type: 'update',
      data: [
        {
          symbol: 'BTC/USD',
          side: 'buy',
          price: n,
          qty: 1,
          ord_type: 'market',
          trade_id: n,
          timestamp: iso(n),
        },
      ],
    }),
  whole: n => krakenV2Book('snapshot', n, [{ price: 101, qty: 1 }], krakenSum(n)),
  change: n => krakenV2Book('update', n, [], krakenSum(n)),
  // The change that was lost made the ask larger.
  broken: n => krakenV2Book('update', n, [], krakenSum(n, 7)),
  isAsked: true,
  loss: /checksum \d+, the venue says \d+/,
};

const krakenV1Change = (n: number, checksum: number): string =>
  json([1, { b: [['100', String(n), `${at(n) / 1000}`]], c: String(checksum) }, 'book-500', 'XBT/USD']);

const krakenV1: VenueSession = {
  greeting: ['trade', 'book'].map(name =>
    json({ event: 'subscriptionStatus', status: 'subscribed', pair: 'XBT/USD', subscription: { name } }),
  ),
  trade: n => json([2, [[String(n), '1', `${at(n) / 1000}`, 'b', 'm', '']], 'trade', 'XBT/USD']),
  whole: n =>
    json([
      1,
      { as: [['101', '1', `${at(n) / 1000}`]], bs: [['100', String(n), `${at(n) / 1000}`]] },
      'book-500',
      'XBT/USD',
    ]),
  change: n => krakenV1Change(n, krakenSum(n)),
  broken: n => krakenV1Change(n, krakenSum(n, 7)),
  isAsked: true,
  loss: /checksum \d+, the venue says \d+/,
};

const coinbaseChange = (n: number, price = '100'): string =>
  json({ type: 'l2update', product_id: 'BTC-USD', changes: [['buy', price, String(n)]], time: iso(n) });

const coinbase: VenueSession = {
  greeting: [json({ type: 'subscriptions', channels: [{ name: 'matches', product_ids: ['BTC-USD'] }] })],
  trade: n =>
    json({
      type: 'match',
      trade_id: n,
      product_id: 'BTC-USD',
      price: String(n),
      size: '1',
      side: 'sell',
      time: iso(n),
    }),
  whole: n =>
    json({ type: 'snapshot', product_id: 'BTC-USD', bids: [['100', String(n)]], asks: [['101', '1']] }),
  change: coinbaseChange,
  // Its changes carry no numbers: that some are missing shows where the book is crossed.
  broken: n => coinbaseChange(n, '102'),
  isAsked: true,
  loss: /crossed: bid 102 is not below ask 101/,
};

/** Frames are numbered by the connection: of the sessions below, by the number of the book or trade in them. */
const advanced = (channel: string, sequence_num: number, events: readonly object[]): string =>
  json({ channel, client_id: '', timestamp: iso(sequence_num), sequence_num, events });
const advancedBook = (type: string, n: number): string =>
  advanced('l2_data', n, [
    {
      type,
      product_id: 'BTC-USD',
      updates: [
        { side: 'bid', event_time: iso(n), price_level: '100', new_quantity: String(n) },
        ...(type === 'snapshot'
          ? [{ side: 'offer', event_time: iso(n), price_level: '101', new_quantity: '1' }]
          : []),
      ],
    },
  ]);

const coinbaseAdvanced: VenueSession = {
  greeting: [
    advanced('subscriptions', 0, [{ subscriptions: { level2: ['BTC-USD'], market_trades: ['BTC-USD'] } }]),
  ],
  trade: n =>
    json({
      channel: 'market_trades',
      client_id: '',
      timestamp: iso(n),
      // As an old frame that comes again: it must not hide a gap of the frames that count here.
      sequence_num: 0,
      events: [
        {
          type: 'update',
          trades: [
            {
              trade_id: String(n),
              product_id: 'BTC-USD',
              price: String(n),
              size: '1',
              side: 'SELL',
              time: iso(n),
            },
          ],
        },
      ],
    }),
  whole: n => advancedBook('snapshot', n),
  change: n => advancedBook('update', n),
  broken: n => advancedBook('update', n),
  isAsked: true,
  loss: /frame 8 after 6/,
};

const okxBook = (action: string, n: number, prevSeqId: number, asks: readonly unknown[]): string =>
  json({
    arg: { channel: 'books', instId: 'BTC-USD' },
    action,
    data: [
      { bids: [['100', String(n), '0', '1']], asks, ts: String(at(n)), checksum: 0, seqId: n, prevSeqId },
    ],
  });

const okx: VenueSession = {
  greeting: ['trades', 'books'].map(channel =>
    json({ event: 'subscribe', arg: { channel, instId: 'BTC-USD' }, connId: 'a4d3ae55' }),
  ),
  trade: n =>
    json({
      arg: { channel: 'trades', instId: 'BTC-USD' },
      data: [
        { instId: 'BTC-USD', tradeId: String(n), px: String(n), sz: '1', side: 'buy', ts: String(at(n)) },
      ],
    }),
  whole: n => okxBook('snapshot', n, -1, [['101', '1', '0', '1']]),
  change: n => okxBook('update', n, n - 1, []),
  broken: n => okx.change(n),
  isAsked: true,
  loss: /update after 7, known is 6/,
};

const bitfinex: VenueSession = {
  // Without the flag for numbered frames, which this venue may refuse: then checksums are what tells.
  greeting: [
    json({ event: 'info', version: 2, serverId: 'a', platform: { status: 1 } }),
    json({ event: 'conf', status: 'OK', flags: 131_072 }),
    json({ event: 'subscribed', channel: 'trades', chanId: 5, symbol: 'tBTCUSD', pair: 'BTCUSD' }),
    json({ event: 'subscribed', channel: 'book', chanId: 7, symbol: 'tBTCUSD', prec: 'P0', len: '100' }),
  ],
  trade: n => json([5, 'te', [n, at(n), 1, n]]),
  whole: n =>
    json([
      7,
      [
        [100, 1, n],
        [101, 1, -1],
      ],
    ]),
  change: n => json([7, [100, 1, n]]),
  // After the change before it was lost.
  broken: n => json([7, 'cs', crc32(`100:${n}:101:-7`) | 0]),
  isAsked: true,
  loss: /checksum -?\d+, the venue says -?\d+/,
};

/** One for each venue. */
export const venueSessions: Readonly<Record<string, VenueSession>> = {
  binance,
  'binance-usdm': binanceUsdm,
  bitfinex,
  bitstamp,
  coinbase,
  'coinbase-advanced': coinbaseAdvanced,
  kraken,
  'kraken-v1': krakenV1,
  okx,
};
