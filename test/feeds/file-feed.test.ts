import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FeedError, type Feed, type FeedBatch, type FeedItem } from '../../src/feeds/feed.ts';
import { fileFeed, type FileFeedOptions } from '../../src/feeds/file-feed.ts';
import { noRecordings, recording } from './recordings.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-feed-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function batches(feed: Feed, position: string | null = null): Promise<readonly FeedBatch[]> {
  const all: FeedBatch[] = [];
  for await (const batch of feed.read(position, new AbortController().signal)) all.push(batch);
  return all;
}

async function items(paths: readonly string[], options?: FileFeedOptions): Promise<readonly FeedItem[]> {
  return (await batches(fileFeed(paths, options))).flatMap(batch => batch.items);
}

const minute = (n: number): number => 1_700_000_040_000 + n * 60_000;
const bar = (n: number, close = n + 1): readonly number[] => [minute(n), 1, 9, 0.5, close, 100];
const bars = (...rows: readonly (readonly number[])[]): string => JSON.stringify(rows);

const brief = (item: FeedItem): string => {
  switch (item.kind) {
    case 'time':
      return `time ${(item.time - minute(0)) / 60_000}`;
    case 'malformed':
      return `malformed ${item.place}: ${item.reason}`;
    case 'price':
    case 'trade':
    case 'book':
      return `${item.kind} ${item.value.symbol} ${(item.value.time - minute(0)) / 60_000}`;
  }
};

describe('bars in files', () => {
  const btc = file('BTC_USDT-1m.json', bars(bar(0), bar(1), bar(4)));
  const eth = file('ETH_USDT-1m.json.gz', gzipSync(bars(bar(1), bar(3))));

  it('are merged by the END of their interval, with a time item behind each minute', async () => {
    expect((await items([btc, eth])).map(brief)).toEqual([
      'price BTC-USDT 1',
      'time 1',
      'price BTC-USDT 2',
      'price ETH-USDT 2',
      'time 2',
      'time 3',
      'price ETH-USDT 4',
      'time 4',
      'price BTC-USDT 5',
      'time 5',
    ]);
  });

  it('carry the interval, the venue and what sums it up', async () => {
    const [first] = await items([btc], { venue: 'kraken' });
    expect(first).toEqual({
      kind: 'price',
      value: {
        venue: 'kraken',
        symbol: 'BTC-USDT',
        price: 1,
        time: minute(1),
        intervalMs: 60_000,
        open: 1,
        high: 9,
        low: 0.5,
        volume: 100,
      },
    });
    expect(fileFeed([btc]).contents).toEqual({ prices: 'bars', trades: false, books: false });
  });

  it('have a name that follows from the paths', () => {
    expect(fileFeed([btc]).name).toBe('file:BTC_USDT-1m.json');
    expect(fileFeed([btc, eth]).name).toMatch(/^file:BTC_USDT-1m\.json\+1-[0-9a-f]{8}$/);
  });

  it('out of order pass in the order of the file, and time never goes back', async () => {
    const mixed = file('MIX_USDT-1m.json', bars(bar(3), bar(0), bar(4)));
    expect((await items([mixed])).map(brief)).toEqual([
      'price MIX-USDT 4',
      'price MIX-USDT 1',
      'time 4',
      'price MIX-USDT 5',
      'time 5',
    ]);
  });

  it('go on from the position of any batch with exactly what had not been said', async () => {
    const many = Array.from({ length: 40 }, (_, index) => bar(index * 2));
    const one = file('ONE_USDT-1m.json', bars(...many));
    const two = file('TWO_USDT-1m.json.gz', gzipSync(bars(...many.slice(5, 30))));
    const feed = fileFeed([one, two], { batchSize: 7 });
    const all = await batches(feed);
    expect(all.length).toBeGreaterThan(15);
    expect(all.at(-1)?.progress).toBe(1);
    for (const [index, { position }] of all.entries()) {
      const rest = (await batches(feed, position)).flatMap(batch => batch.items);
      expect(rest).toEqual(all.slice(index + 1).flatMap(batch => batch.items));
    }
  });

  it('of the same name in two folders are two', async () => {
    const again = mkdtempSync(join(folder, 'again-'));
    const twin = join(again, 'BTC_USDT-1m.json');
    writeFileSync(twin, bars(bar(0), bar(1)));
    const feed = fileFeed([btc, twin], { batchSize: 2 });
    const all = await batches(feed);
    const rest = await batches(feed, all[0]?.position ?? null);
    expect(rest.flatMap(batch => batch.items)).toEqual(all.slice(1).flatMap(batch => batch.items));
  });

  it('stop at the abort', async () => {
    const abort = new AbortController();
    const said: FeedBatch[] = [];
    for await (const batch of fileFeed([btc], { batchSize: 1 }).read(null, abort.signal)) {
      said.push(batch);
      abort.abort();
    }
    expect(said).toHaveLength(1);
  });

  it('a gap of years is one step in time', async () => {
    const apart = file('GAP_USDT-1m.json', bars(bar(0), bar(3_000_000)));
    expect((await items([apart])).map(brief)).toEqual([
      'price GAP-USDT 1',
      'time 3000000',
      'price GAP-USDT 3000001',
      'time 3000001',
    ]);
  });
});

describe('what is broken in a file', () => {
  const row = JSON.stringify(bar(0));
  const next = JSON.stringify(bar(1));

  it.each([
    ['a row cut in the middle', `[${row},[1700000,5,${next}]`, /row 2 byte \d+: a row without an end$/],
    ['bytes between rows', `[${row},garbage!,${next}]`, /row 2 byte \d+: bytes between rows$/],
    ['a row that is no row', `[${row},[1,2],${next}]`, /row 2 byte \d+: the row has 2 columns; a bar has 6$/],
    ['a row of no JSON', `[${row},[1,2,3,4,5,x],${next}]`, /row 2 byte \d+: the row is no JSON/],
    [
      'a start that is no time',
      `[${row},[9e15,1,1,1,1,1],${next}]`,
      /row 2 byte \d+: the start 9000000000000000 is no time/,
    ],
    ['a file that ends early', `[${row},${next},[17`, /row 3 byte \d+: the file ends within a row$/],
    ['an array that ends early', `[${row},${next}`, /row 3 byte \d+: the file ends within its array$/],
  ])('%s is malformed with its place, and the rest is read', async (_, text, place) => {
    const broken = await items([file('BAD_USDT-1m.json', text)]);
    expect(broken.filter(item => item.kind === 'price').map(brief)).toEqual([
      'price BAD-USDT 1',
      'price BAD-USDT 2',
    ]);
    const malformed = broken.filter(item => item.kind === 'malformed').map(brief);
    expect(malformed).toHaveLength(1);
    expect(malformed[0]).toMatch(place);
    expect(malformed[0]).toContain('BAD_USDT-1m.json');
  });

  it('the place is that of the bytes', async () => {
    const text = `[${row},\n[1,2],${next}]`;
    const [, , malformed] = await items([file('BAD_USDT-1m.json', text)]).then(all => [
      '',
      '',
      all.find(i => i.kind === 'malformed'),
    ]);
    expect(malformed).toMatchObject({ place: `BAD_USDT-1m.json row 2 byte ${text.indexOf('[1,2]')}` });
    expect(
      typeof malformed === 'object' &&
        malformed.kind === 'malformed' &&
        new TextDecoder().decode(malformed.raw),
    ).toBe('[1,2]');
  });

  it('a gzip file that is cut is read up to there', async () => {
    const whole = gzipSync(
      bars(...Array.from({ length: 5000 }, (_, index) => bar(index, Math.sin(index) + 2))),
    );
    const cut = await items([file('CUT_USDT-1m.json.gz', whole.subarray(0, whole.length / 2))]);
    const read = cut.filter(item => item.kind === 'price').length;
    expect(read).toBeGreaterThan(2000);
    expect(read).toBeLessThan(3000);
    expect(
      cut
        .filter(item => item.kind === 'malformed')
        .map(item => item.reason)
        .at(-1),
    ).toBe('the file cannot be unpacked beyond here: unexpected end of file');
  });

  it('prices that are no price pass on to the decoder, which judges them', async () => {
    const path = file(
      'NEG_USDT-1m.json',
      `[[${minute(0)},1,1,1,0,1],[${minute(1)},1,1,1,-5,1],[${minute(2)},1,1,1,"x",1]]`,
    );
    const prices = (await items([path])).flatMap(item => (item.kind === 'price' ? [item.value.price] : []));
    expect(prices).toEqual([0, -5, Number.NaN]);
  });

  it('never throws, and reads every row before the cut, wherever a file is cut', async () => {
    const text = bars(...Array.from({ length: 8 }, (_, index) => bar(index)));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: row.length + 2, max: text.length - 1 }), async length => {
        const cut = await items([file('ANY_USDT-1m.json', text.slice(0, length))]);
        const whole = text.slice(0, length).split(']').length - 1;
        expect(cut.filter(item => item.kind === 'price')).toHaveLength(Math.min(whole, 8));
        expect(cut.filter(item => item.kind === 'malformed')).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a file that cannot be used at all', () => {
  it.each([
    ['missing', () => join(folder, 'missing.json'), /missing\.json does not exist: check the path/],
    ['a folder', () => folder, /is a folder: name its files/],
    ['empty', () => file('empty.json', ''), /empty\.json is empty/],
    [
      'of no known form',
      () => file('x.csv', 'a,b\n1,2\n'),
      /x\.csv holds nothing that is known; expected bars, trades/,
    ],
    [
      'without a symbol',
      () => file('bars.json', bars(bar(0))),
      /bars\.json: the interval of its bars is not known/,
    ],
    ['broken gzip', () => file('b.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3])), /b\.gz cannot be read/],
  ])('%s: a FeedError names it and what to do', (_, path, message) => {
    expect(() => fileFeed([path()])).toThrow(FeedError);
    expect(() => fileFeed([path()])).toThrow(message);
  });

  it('is named with the others that cannot be, ten at most', () => {
    const none = (count: number): string[] =>
      Array.from({ length: count }, (_, at) => join(folder, `none-${at}.json`));
    const usable = file('BTC_USDT-1m.json', bars(bar(0)));
    expect(() => fileFeed([...none(2), usable, file('x.csv', 'a,b\n')])).toThrow(
      /none-0\.json does not exist: check the path; .*none-1\.json does not exist.*; .*x\.csv holds nothing/,
    );
    expect(() => fileFeed(none(12))).toThrow(
      /none-9\.json does not exist: check the path; and 2 more files$/,
    );
  });

  it('nor is none', () => expect(() => fileFeed([])).toThrow(/no files are named/));

  it('a position of other files is refused with what to do', async () => {
    const feed = fileFeed([file('BTC_USDT-1m.json', bars(bar(0)))]);
    await expect(batches(feed, '{"taken":{"other":1},"time":null}')).rejects.toThrow(/not of these files/);
    await expect(batches(feed, 'nonsense')).rejects.toThrow(FeedError);
  });
});

describe('messages recorded from topics', () => {
  const message = (topic: string, value: unknown): string =>
    JSON.stringify({
      topic,
      partition: 0,
      offset: '1',
      key: 'BTC-USD',
      timestamp: 1,
      headers: { 'ingest-time': '7' },
      value,
    });
  const price = { venue: 'kraken', symbol: 'BTC-USD', price: 5, time: minute(1) };
  const trade = { ...price, size: 1, side: 'buy', time: minute(2) };

  it('become what they were, markers and other topics aside', async () => {
    const path = file(
      'recorded.jsonl',
      [
        message('cryptorun-market-prices', price),
        message('cryptorun-market-prices', null),
        message('cryptorun-signals', { id: 1 }),
        message('market-trades', JSON.stringify(trade)),
        message('market-trades', { no: 'trade' }),
        '{"half": ',
      ].join('\n'),
    );
    const read = await items([path]);
    expect(read.map(item => (item.kind === 'malformed' ? brief(item) : item))).toEqual([
      { kind: 'price', value: price, receivedAt: 7 },
      { kind: 'time', time: minute(1) },
      { kind: 'trade', value: trade, receivedAt: 7 },
      expect.stringMatching(/^malformed recorded\.jsonl row 5 byte \d+: the value is no trade$/),
      expect.stringMatching(/^malformed recorded\.jsonl row 6 byte \d+: the line is no JSON/),
      { kind: 'time', time: minute(2) },
    ]);
    expect(fileFeed([path]).contents).toEqual({ prices: 'ticks', trades: true, books: false });
  });
});

describe('a recorded session', () => {
  it('with lines that have no form and venues that are not known says so and goes on', async () => {
    const path = file(
      'session.log',
      [
        'wss://ws.kraken.com <-> 1700000000.5',
        'wss://ws.kraken.com <- 1700000000.6: {"event":"subscribe"}',
        '1700000001.5: {"event":"heartbeat"}',
        'what is this',
        '1700000002.5: [1,[["10.0","2.0","1700000002.25","b","m",""]],"trade","XBT/USD"]',
        '1700000002.6: [1,[["10.0"',
      ].join('\r\n'),
    );
    expect((await items([path])).map(item => (item.kind === 'trade' ? item.value : item.kind))).toEqual([
      'malformed',
      { venue: 'kraken', symbol: 'BTC-USD', price: 10, size: 2, side: 'buy', time: 1_700_000_002_250 },
      'malformed',
    ]);
    const strange = file('strange.log', 'wss://example.org <-> 1700000000.5\n1700000001.5: {}\n');
    expect((await items([strange])).map(brief)).toEqual([
      'malformed strange.log row 2 byte 35: a frame of a venue that is not known',
    ]);
    expect(() => fileFeed([strange], { venue: 'nowhere' })).toThrow(
      /venue nowhere is not known; known are binance,/,
    );
  });
});

describe.skipIf(noRecordings !== undefined)(`recordings ${noRecordings ?? ''}`, () => {
  const count = (all: readonly FeedItem[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { kind } of all) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  };

  it('a million bars of 18 symbols come merged, in order, in bounded memory', async () => {
    const names = readdirSync(recording('binance-1m-2021')).filter(name => name.includes('-1m.'));
    const feed = fileFeed(names.map(name => recording(`binance-1m-2021/${name}`)));
    let [prices, minutes, late, time] = [0, 0, 0, 0];
    for await (const batch of feed.read(null, new AbortController().signal)) {
      expect(batch.items.length).toBeLessThanOrEqual(512);
      for (const item of batch.items) {
        if (item.kind === 'price' && item.value.time <= time) late += 1;
        if (item.kind === 'price') prices += 1;
        if (item.kind !== 'time') continue;
        minutes += 1;
        expect(item.time > time).toBe(true);
        time = item.time;
      }
    }
    expect({ prices, minutes, late }).toEqual({ prices: 1_041_818, minutes: 61_726, late: 0 });
  });

  it('trades of 50 days', async () => {
    const feed = fileFeed([recording('kraken-trades-2022/XRP_USDT-trades.json.gz')]);
    const all = (await batches(feed)).flatMap(batch => batch.items);
    const trades = all.flatMap(item => (item.kind === 'trade' ? [item.value] : []));
    expect(trades[0]).toEqual({
      venue: 'kraken',
      symbol: 'XRP-USDT',
      price: 0.38556,
      size: 9.97996,
      side: 'sell',
      tradeId: '1652400106575-0',
      time: 1_652_400_106_575,
    });
    expect(new Set(trades.map(trade => trade.tradeId)).size).toBe(trades.length);
    expect(count(all)['malformed']).toBeUndefined();
  });

  it('sessions of several connections find their REST snapshots in other files', async () => {
    const names = [
      'BINANCE.http.0.0',
      'BINANCE.ws.1.0',
      'BITSTAMP.ws.1.0',
      'BITSTAMP.http.0.0',
      'KRAKEN.ws.50.0',
    ];
    const all = await items(
      names.map(name => recording(`exchange-ws/${name}.gz`)),
      { bookDepth: 1 },
    );
    expect(count(all)).toMatchObject({ book: 176 + 625 + 4279, price: 84, trade: 12 });
    expect(count(all)['malformed']).toBeUndefined();
  });

  it('a session goes on from a position with its books as they were', async () => {
    const feed = fileFeed([recording('exchange-ws/OKX.ws.1.0.gz')], { batchSize: 100, bookDepth: 3 });
    const all = await batches(feed);
    const rest = await batches(feed, all[1]?.position ?? null);
    expect(rest.flatMap(batch => batch.items)).toEqual(all.slice(2).flatMap(batch => batch.items));
  });

  it('Binance sessions in nanoseconds are told apart by their frames', async () => {
    const all = await items([recording('binance-ws-2024/usdm_btcusdt_20240808.gz')], {
      bookDepth: 1,
      bookEveryMs: 1000,
    });
    expect(count(all)).toMatchObject({ price: 66_089, trade: 21_313 });
    expect(all.find(item => item.kind === 'trade')).toMatchObject({ value: { venue: 'binance-usdm' } });
  });
});
