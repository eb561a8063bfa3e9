import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FeedError } from '../../src/feeds/feed.ts';
import type { FeedNotice } from '../../src/feeds/feed-notice.ts';
import { openFeed, parseFeedSpec } from '../../src/feeds/feed-spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'feed-spec-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bars = JSON.stringify([[1_700_000_040_000, 1, 2, 1, 2, 5]]);
for (const name of ['A_USDT-1m.json', 'B_USDT-1m.json', 'A_USDT-5m.json'])
  writeFileSync(join(folder, name), bars);
mkdirSync(join(folder, 'inner'));

describe('feed specs', () => {
  it('are a kind, a target and settings', () => {
    const spec = parseFeedSpec(
      'ws:kraken?symbols=BTC-USD,ETH-USD&channels=trades,book&depth=50&book-every=1s',
    );
    expect(spec).toMatchObject({ kind: 'ws', target: 'kraken' });
    const feed = openFeed(spec);
    expect(feed.name).toBe('ws:kraken:BTC-USD,ETH-USD,trades,book');
    expect(feed.contents).toEqual({ prices: 'none', trades: true, books: true });
  });

  it('write symbols as people do', () => {
    expect(openFeed('ws:coinbase?symbols=btc/usd&channels=trades').name).toBe('ws:coinbase:BTC-USD,trades');
  });

  it('open files, folders and names with a star', () => {
    expect(openFeed(`file:${folder}/A_USDT-1m.json`).name).toBe('file:A_USDT-1m.json');
    expect(openFeed(`file:${folder}/*-1m.json`).name).toMatch(/^file:A_USDT-1m\.json\+1-/);
    expect(openFeed(`file:${folder}`).name).toMatch(/\+2-/);
    expect(openFeed(`file:${folder}/A_USDT-1m.json,${folder}/B_USDT-1m.json`).name).toMatch(/\+1-/);
  });

  it('hand settings on to files', async () => {
    const feed = openFeed(`file:${folder}/A_USDT-1m.json?venue=okx&symbol=x-y&interval=5m&name=mine`);
    expect(feed.name).toBe('mine');
    for await (const { items } of feed.read(null, new AbortController().signal)) {
      expect(items[0]).toMatchObject({
        value: { venue: 'okx', symbol: 'X-Y', intervalMs: 300_000, time: 1_700_000_340_000 },
      });
    }
  });

  it('open ccxt exchanges without loading ccxt', () => {
    const feed = openFeed('ccxt:bybit?symbols=BTC-USDT&channels=trades&poll=5s');
    expect(feed).toMatchObject({
      name: 'ccxt:bybit:BTC-USDT',
      contents: { prices: 'none', trades: true, books: false },
    });
  });

  it.each([
    ['nonsense', /has none of the forms file:PATH, ws:VENUE\?symbols=BTC-USD \(binance, .*okx\), ccxt:VENUE/],
    ['ftp:x', /has none of the forms/],
    ['ws:', /has none of the forms/],
    [
      'ws:mtgox?symbols=BTC-USD',
      /the venue mtgox is not known; known are binance, .*okx; others may be had as ccxt:mtgox/,
    ],
    ['ws:kraken', /no symbols are named/],
    ['ws:kraken?symbols=BTCUSD', /the symbol BTCUSD is not of the form BASE-QUOTE/],
    [
      'ws:kraken?symbols=BTC-USD&channels=gossip',
      /gossip is no channel; there are ticker, trades, book, bars/,
    ],
    ['ws:kraken?symbol=BTC-USD', /ws: feeds have no setting symbol; they have symbols, channels/],
    ['ws:kraken?symbols=BTC-USD&depth=0', /depth=0 is no number of levels/],
    ['ws:kraken?symbols=BTC-USD&book-every=soon', /book-every=soon is no duration: write it like 250ms/],
    ['ccxt:kraken?symbols=BTC-USD&channels=book', /ccxt: feeds have no channel book/],
    [`file:${folder}/*.csv`, /no file is named like .*\*\.csv: check the path/],
    [`file:${folder}/inner`, /no file is named like/],
    [`file:${folder}/none.json`, /none\.json does not exist/],
  ])('%s is refused with what would be right', (spec, message) => {
    expect(() => openFeed(spec)).toThrow(message);
    expect(() => openFeed(spec)).toThrow(FeedError);
  });

  it('let a live feed say what becomes of its connection', async () => {
    const reading = new AbortController();
    const notices: FeedNotice[] = [];
    const notice = (heard: FeedNotice): void => {
      notices.push(heard);
      reading.abort();
    };
    // Nobody listens there.
    const feed = openFeed('ws:kraken?symbols=BTC-USD&url=ws://127.0.0.1:1', { notice });
    const said: unknown[] = [];
    for await (const batch of feed.read(null, reading.signal)) said.push(batch);

    expect(said).toEqual([]);
    expect(notices).toEqual([
      {
        level: 'warn',
        text: expect.stringMatching(/^connecting again in \d+ ms \(attempt 1\): .*ECONNREFUSED/) as string,
      },
    ]);
  });
});
