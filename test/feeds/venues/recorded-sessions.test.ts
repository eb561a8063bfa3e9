import { describe, expect, it } from 'vitest';
import { noRecordings, recordedLines, recordedText, frames, replay } from '../recordings.ts';

describe.skipIf(noRecordings !== undefined)(`recorded sessions ${noRecordings ?? ''}`, () => {
  const sessions: readonly (readonly [
    venue: string,
    files: readonly string[],
    kinds: Readonly<Record<string, number>>,
    checksums: number,
  ])[] = [
    ['kraken-v1', ['exchange-ws/KRAKEN.ws.48.0.gz'], { trade: 10, answer: 11, heartbeat: 30 }, 0],
    ['kraken-v1', ['exchange-ws/KRAKEN.ws.49.0.gz'], { price: 18, answer: 11, heartbeat: 31 }, 0],
    ['kraken-v1', ['exchange-ws/KRAKEN.ws.50.0.gz'], { book: 4279, answer: 11, heartbeat: 31 }, 4269],
    ['coinbase', ['exchange-ws/COINBASE.ws.28.0.gz'], { book: 9729, price: 107, trade: 97, answer: 3 }, 0],
    ['okx', ['exchange-ws/OKX.ws.1.0.gz'], { book: 290, price: 28, trade: 74, answer: 18 }, 290],
    [
      'bitfinex',
      ['exchange-ws/BITFINEX.ws.11.0.gz'],
      { book: 1600, price: 21, answer: 23, heartbeat: 42 },
      0,
    ],
    [
      'bitstamp',
      ['exchange-ws/BITSTAMP.ws.1.0.gz', 'exchange-ws/BITSTAMP.http.0.0.gz'],
      { book: 625, trade: 10, answer: 20 },
      0,
    ],
    [
      'binance',
      ['exchange-ws/BINANCE.ws.1.0.gz', 'exchange-ws/BINANCE.http.0.0.gz'],
      { book: 176, price: 84, trade: 2, snapshot: 4 },
      0,
    ],
    [
      'binance',
      ['binance-ws-2024/spot_btcusdt_20240808.gz'],
      { book: 3450, price: 28_040, trade: 9757, snapshot: 1 },
      0,
    ],
    [
      'binance',
      ['binance-ws-2024/spot_ethusdt_20240808.gz'],
      { book: 3433, price: 24_077, trade: 6106, snapshot: 1 },
      0,
    ],
    [
      'binance-usdm',
      ['binance-ws-2024/usdm_btcusdt_20240808.gz'],
      { book: 6548, price: 66_089, trade: 21_313, snapshot: 1 },
      0,
    ],
  ];

  it.each(sessions)('%s %s: every frame understood, no gap', (venue, files, kinds, checksums) => {
    const replayed = replay(venue, recordedLines(...files), { bookDepth: 5 });
    expect(replayed.kinds).toEqual(kinds);
    expect(replayed.stats).toMatchObject({ checksums, gaps: 0, crossed: 0 });
    for (const item of replayed.items) {
      if (item.kind !== 'book') continue;
      const { bids, asks } = item.value;
      expect(bids.length).toBeLessThanOrEqual(5);
      expect((bids[0]?.[0] ?? 0) < (asks[0]?.[0] ?? Infinity)).toBe(true);
    }
  });

  it('a diff left out of a Kraken book shows in the next checksum, and nothing is said until a snapshot', () => {
    const lines = recordedLines('exchange-ws/KRAKEN.ws.50.0.gz');
    const ofPair = lines.filter(line => line.kind === 'frame' && line.text.includes('"XMR/USD"]'));
    const without = [...ofPair.slice(0, 5), ...ofPair.slice(6)];
    const replayed = replay('kraken-v1', without);
    expect(replayed.kinds['resync']).toBe(1);
    expect(replayed.stats.gaps).toBe(1);
    const whole = replay('kraken-v1', ofPair);
    expect(replayed.kinds['book']).toBeLessThan(whole.kinds['book'] ?? 0);
    const resync = replayed.controls.find(control => control.kind === 'resync');
    expect(resync?.reason).toMatch(/^checksum \d+, the venue says \d+$/);
    expect(resync?.frames.map(frame => (JSON.parse(frame) as { event: string }).event)).toEqual([
      'unsubscribe',
      'subscribe',
    ]);
    // The snapshot that the resubscription brings.
    const again = replay('kraken-v1', [...without, ...ofPair]);
    expect(again.kinds['book']).toBe((replayed.kinds['book'] ?? 0) + (whole.kinds['book'] ?? 0));
  });

  it('a frame left out of a Binance futures book is a gap, and a new snapshot is asked for', () => {
    const lines = recordedLines('binance-ws-2024/usdm_btcusdt_20240808.gz').filter(
      line => line.kind === 'frame' && !line.text.includes('bookTicker'),
    );
    const depth = lines.flatMap((line, index) =>
      line.kind === 'frame' && line.text.includes('depthUpdate') ? [index] : [],
    );
    const missing = depth[2000] ?? 0;
    const replayed = replay('binance-usdm', lines.toSpliced(missing, 1), { bookDepth: 1 });
    expect(replayed.kinds).toMatchObject({ resync: 1, snapshot: 2, trade: 21_313 });
    expect(replayed.kinds['book']).toBe(1997);
  });

  it('fixtures of Kraken v2 and Coinbase Advanced', () => {
    const fixture = (path: string): string => recordedText(`exchange-ws/${path}.json`);
    const kraken = replay(
      'kraken',
      frames(
        ...['pong', 'subscribe_response', 'ticker_snapshot', 'trade_update'].map(name =>
          fixture(`kraken-fixtures/ws_${name}`),
        ),
      ),
    );
    expect(kraken.kinds).toEqual({ heartbeat: 1, answer: 1, price: 1, trade: 2 });
    expect(kraken.items[0]).toMatchObject({
      kind: 'price',
      value: { venue: 'kraken', symbol: 'BTC-USD', price: 105_899.4, bid: 105_944.2, ask: 105_944.3 },
    });
    expect(kraken.items[2]).toMatchObject({
      value: {
        side: 'sell',
        size: 0.0001246,
        tradeId: '10218209',
        time: Date.UTC(2023, 9, 6, 17, 35, 56, 123),
      },
    });
    const coinbase = replay(
      'coinbase-advanced',
      frames(...['l2_data_snapshot', 'l2_data_update'].map(name => fixture(`coinbase-fixtures/ws_${name}`))),
    );
    expect(coinbase.kinds).toEqual({ book: 2 });
    expect(coinbase.items[1]).toMatchObject({ value: { symbol: 'BTC-USD', sequence: 1 } });
    const trades = replay('coinbase-advanced', frames(fixture('coinbase-fixtures/ws_market_trades')));
    expect(trades.items).toMatchObject([
      { value: { side: 'sell', price: 68_900.5 } },
      { value: { side: 'buy', price: 68_900 } },
    ]);
  });

  it('a book fixture whose checksum is not that of its levels is refused', () => {
    const refused = replay(
      'kraken',
      frames(recordedText('exchange-ws/kraken-fixtures/ws_book_snapshot.json')),
    );
    expect(refused.kinds).toEqual({ resync: 1 });
  });

  it('order-by-order books are not known and say so', () => {
    const unknown = replay('kraken', frames(recordedText('exchange-ws/kraken-fixtures/ws_l3_snapshot.json')));
    expect(unknown.items).toMatchObject([
      { kind: 'malformed', reason: 'kraken: a frame of a kind that is not known' },
    ]);
  });
});
