import { describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { knownVenues, venueAt } from '../../../src/feeds/venues/known-venues.ts';
import { frames, replay } from '../recordings.ts';

const reasons = (venue: string, ...values: readonly unknown[]): readonly string[] =>
  replay(venue, frames(...values)).items.flatMap(item => (item.kind === 'malformed' ? [item.reason] : []));

describe.each(knownVenues.map(venue => [venue.name, venue] as const))('%s', (name, venue) => {
  it('says of half a frame, of garbage and of a frame not known that they are malformed, with the bytes', () => {
    const replayed = replay(
      name,
      frames('{"a":[1,2', 'no json', '{"what":"is this"}', '[]', 'null', '7', '"x"'),
    );
    expect(replayed.kinds).toEqual({ malformed: 7 });
    const [half] = replayed.items;
    expect(half).toMatchObject({ place: 'test' });
    expect(half?.kind === 'malformed' && half.reason).toMatch(/the frame is no JSON/);
    expect(half?.kind === 'malformed' && new TextDecoder().decode(half.raw)).toBe('{"a":[1,2');
  });

  it('has an address and frames that name its symbols and channels', () => {
    const subscription = { symbols: ['BTC-USDT', 'DOGE-USD'], channels: venue.channels };
    expect(venue.url(subscription)).toMatch(/^wss:\/\//);
    const said = [venue.url(subscription), ...venue.subscribeFrames(subscription)].join(' ').toUpperCase();
    expect(said).toMatch(/(BTC|XBT)[-/:]?(USDT|UST)/);
  });

  it('is found by the host of its sessions', () => {
    for (const host of venue.hosts) expect(venueAt(`wss://${host}/`)?.venue).toBe(venue.venue);
  });
});

describe('answers', () => {
  it.each([
    [
      'kraken-v1',
      {
        event: 'subscriptionStatus',
        status: 'error',
        errorMessage: 'Currency pair not supported',
        pair: 'A/B',
      },
    ],
    ['kraken', { method: 'subscribe', success: false, error: 'Currency pair not supported A/B' }],
    ['coinbase', { type: 'error', message: 'Failed to subscribe', reason: 'A-B is not a valid product' }],
    ['coinbase-advanced', { type: 'error', message: 'not a valid product' }],
    ['binance', { error: { code: 2, msg: 'Invalid request' }, id: 1 }],
    ['binance-usdm', { code: -1121, msg: 'Invalid symbol.' }],
    ['bitfinex', { event: 'error', msg: 'symbol: invalid', code: 10300, symbol: 'tAB' }],
    [
      'bitstamp',
      { event: 'bts:error', channel: '', data: { code: null, message: 'Incorrect JSON format.' } },
    ],
    ['okx', { event: 'error', code: '60018', msg: 'Invalid OK_ACCESS_KEY' }],
  ])('%s: an error of the venue is a control and a malformed item with its words', (venue, frame) => {
    const replayed = replay(venue, frames(frame));
    expect(replayed.kinds).toEqual({ malformed: 1, error: 1 });
    expect(reasons(venue, frame)[0]).toMatch(/the venue answered with an error: \S+/);
  });

  it.each([
    ['kraken-v1', { event: 'heartbeat' }],
    ['kraken', { channel: 'heartbeat' }],
    ['coinbase', { type: 'heartbeat', last_trade_id: 1, product_id: 'BTC-USD', sequence: 1, time: 'x' }],
    ['bitfinex', { event: 'pong', cid: 1 }],
    ['bitstamp', { event: 'bts:heartbeat', channel: '', data: '' }],
    ['okx', 'pong'],
  ])('%s: a heartbeat is one', (venue, frame) => {
    expect(replay(venue, frames(frame)).kinds).toEqual({ heartbeat: 1 });
  });
});

describe('trades', () => {
  const trade = (t: number, more: object = {}): object => ({
    stream: 'btcusdt@trade',
    data: { e: 'trade', E: 1, s: 'BTCUSDT', t, p: '10', q: '1', T: 1_700_000_000_000 + t, m: true, ...more },
  });

  it('of a frame that comes twice are said once', () => {
    const replayed = replay('binance', frames(trade(1), trade(2), trade(1), trade(2), trade(3)));
    expect(replayed.kinds).toEqual({ trade: 3 });
    expect(replayed.stats.duplicates).toBe(2);
  });

  it('without ids are told apart by all their digits, and two equal ones of one frame are two', () => {
    const rows = [
      ['1.0', '2.0', '1700000000.000001', 'b', 'l', ''],
      ['1.0', '2.0', '1700000000.000001', 'b', 'l', ''],
    ];
    const frame = [1, rows, 'trade', 'XBT/USD'];
    expect(replay('kraken-v1', frames(frame, frame)).kinds).toEqual({ trade: 2 });
  });

  it('pass prices that are no price on to the decoder, which judges them', () => {
    const { items } = replay(
      'binance',
      frames(trade(1, { p: '0' }), trade(2, { p: '-3' }), trade(3, { p: 'x' })),
    );
    expect(items.map(item => (item.kind === 'trade' ? item.value.price : item.kind))).toEqual([
      0,
      -3,
      Number.NaN,
    ]);
  });

  it('with a time that is none are malformed', () => {
    expect(reasons('binance', trade(1, { T: 9e15 }), trade(2, { T: -1 }))).toEqual([
      'binance: the time 9000000000000000 is no time in milliseconds',
      'binance: the time -1 is no time in milliseconds',
    ]);
  });

  it('from before the subscription are said only where they fill a gap', () => {
    const match = (type: string, trade_id: number, second: number): object => ({
      type,
      trade_id,
      product_id: 'BTC-USD',
      price: '1',
      size: '1',
      side: 'buy',
      time: new Date(1_700_000_000_000 + second * 1000).toISOString(),
    });
    const replayed = replay(
      'coinbase',
      frames(
        match('last_match', 1, 1),
        match('match', 2, 2),
        match('last_match', 2, 2),
        match('last_match', 4, 4),
      ),
    );
    expect(replayed.items.map(item => (item.kind === 'trade' ? item.value.tradeId : item.kind))).toEqual([
      '2',
      '4',
    ]);
  });
});

describe('books', () => {
  const level2 = (sequence_num: number, type: string, price = '10'): object => ({
    channel: 'l2_data',
    timestamp: '2024-01-01T00:00:00Z',
    sequence_num,
    events: [
      {
        type,
        product_id: 'BTC-USD',
        updates: [{ side: 'bid', event_time: 'x', price_level: price, new_quantity: '1' }],
      },
    ],
  });

  it('of Coinbase Advanced are lost with a skipped number, silent, and back with a snapshot', () => {
    const replayed = replay(
      'coinbase-advanced',
      frames(
        level2(1, 'snapshot'),
        level2(2, 'update'),
        level2(4, 'update'),
        level2(5, 'update'),
        level2(6, 'snapshot'),
      ),
    );
    expect(replayed.kinds).toEqual({ book: 3, resync: 1 });
    expect(replayed.controls).toMatchObject([{ symbol: 'BTC-USD', reason: 'frame 4 after 2' }]);
  });

  it('with a level that is none are lost and malformed', () => {
    const replayed = replay('coinbase-advanced', frames(level2(1, 'snapshot'), level2(2, 'update', '-1')));
    expect(replayed.kinds).toEqual({ book: 1, resync: 1, malformed: 1 });
  });

  it('of OKX follow prevSeqId', () => {
    const update = (action: string, seqId: number, prevSeqId: number): object => ({
      arg: { channel: 'books', instId: 'BTC-USDT' },
      action,
      data: [{ bids: [['1', '1']], asks: [], ts: '1700000000000', seqId, prevSeqId, checksum: 0 }],
    });
    const replayed = replay(
      'okx',
      frames(
        update('snapshot', 10, -1),
        update('update', 12, 10),
        update('update', 14, 13),
        update('update', 15, 14),
      ),
    );
    expect(replayed.kinds).toEqual({ book: 2, resync: 1 });
    expect(replayed.controls).toMatchObject([{ reason: 'update after 13, known is 12' }]);
  });

  it('of Kraken v2 keep the digits of their numbers for the checksum', () => {
    const checksum = crc32('10530' + '1' + '10520' + '2500');
    const text = `{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":105.20,"qty":0.2500}],"asks":[{"price":105.30,"qty":0.00000001}],"checksum":${checksum}}]}`;
    const replayed = replay('kraken', frames(text));
    expect(replayed.kinds).toEqual({ book: 1 });
    expect(replayed.stats.checksums).toBe(1);
  });

  const bitfinex = (...rows: readonly unknown[]): readonly unknown[] => [
    { event: 'conf', status: 'OK', flags: 196_608 },
    { event: 'subscribed', channel: 'book', chanId: 7, symbol: 'tBTCUSD' },
    ...rows,
  ];

  it('of Bitfinex compare the checksum that comes in a frame of its own', () => {
    const snapshot = [
      7,
      [
        [10, 1, 2],
        [11, 1, -3],
      ],
      1,
    ];
    const right = crc32('10:2:11:-3') | 0;
    const replayed = replay('bitfinex', frames(...bitfinex(snapshot, [7, 'cs', right, 2], [7, 'cs', 1, 3])));
    expect(replayed.stats).toMatchObject({ checksums: 1, gaps: 1 });
    expect(replayed.controls.at(-1)).toMatchObject({ kind: 'resync', symbol: 'BTC-USD' });
  });

  it('of Bitfinex that are crossed for a moment are not said; for longer they are lost', () => {
    const crossing = Array.from({ length: 12 }, (_, index) => [7, [12, 1, 1], index + 2]);
    const replayed = replay(
      'bitfinex',
      frames(
        ...bitfinex(
          [
            7,
            [
              [10, 1, 2],
              [11, 1, -3],
            ],
            1,
          ],
          ...crossing,
        ),
      ),
    );
    expect(replayed.kinds).toMatchObject({ book: 1, resync: 1 });
    expect(replayed.stats.crossed).toBe(11);
  });

  it('of Bitfinex are lost with a skipped number of the connection', () => {
    const replayed = replay(
      'bitfinex',
      frames(
        ...bitfinex(
          [
            7,
            [
              [10, 1, 2],
              [11, 1, -3],
            ],
            1,
          ],
          [7, 'hb', 3],
        ),
      ),
    );
    expect(replayed.controls.at(-2)).toMatchObject({ kind: 'resync', reason: 'frame 3 after 1' });
  });

  it('are said no more often than asked for', () => {
    const at = (n: number): readonly unknown[] => [
      1,
      { b: [['9', String(n), `${1_700_000_000 + n / 10}`]] },
      'book-10',
      'XBT/USD',
    ];
    const lines = frames(
      [1, { as: [['10', '1', '1700000000.0']], bs: [] }, 'book-10', 'XBT/USD'],
      ...[1, 2, 3, 11, 12].map(at),
    );
    expect(replay('kraken-v1', lines, { bookEveryMs: 1000 }).kinds).toEqual({ book: 2 });
  });
});

describe('bars', () => {
  it('of Binance are said once closed, at their end', () => {
    const kline = (x: boolean): object => ({
      stream: 'btcusdt@kline_1m',
      data: {
        e: 'kline',
        E: 1,
        s: 'BTCUSDT',
        k: {
          t: 1_700_000_040_000,
          T: 1_700_000_099_999,
          i: '1m',
          o: '1',
          c: '2',
          h: '3',
          l: '0.5',
          v: '7',
          x,
        },
      },
    });
    expect(replay('binance', frames(kline(false), kline(true))).items).toMatchObject([
      {
        kind: 'price',
        value: {
          symbol: 'BTC-USDT',
          price: 2,
          open: 1,
          high: 3,
          low: 0.5,
          volume: 7,
          intervalMs: 60_000,
          time: 1_700_000_100_000,
        },
      },
    ]);
  });

  it('of Kraken are said when the next one begins', () => {
    const ohlc = (minute: number, close: number): object => ({
      channel: 'ohlc',
      type: 'update',
      data: [
        {
          symbol: 'BTC/USD',
          interval: 1,
          interval_begin: new Date(1_700_000_040_000 + minute * 60_000).toISOString(),
          open: 1,
          high: 9,
          low: 1,
          close,
          volume: 5,
        },
      ],
    });
    const { items } = replay('kraken', frames(ohlc(0, 2), ohlc(0, 3), ohlc(1, 4)));
    expect(items).toMatchObject([{ value: { price: 3, time: 1_700_000_100_000, intervalMs: 60_000 } }]);
  });
});
