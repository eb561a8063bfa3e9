import { describe, expect, it } from 'vitest';
import {
  marketPipelines,
  marketPrices,
  marketTopics,
  marketTrades,
  marketOrderbook,
  marketBars,
} from '../../pipelines/index.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { runFeed } from '../../src/feeds/feed-runner.ts';
import type { MarketPrice, MarketTrade, Message, OrderBook } from '../../src/index.ts';
import { type GivenMessage, PipelineDriver } from '../../src/testing/index.ts';
import { feedTopics } from './chain-run.ts';
import { marketStart } from './small-market.ts';

const minute = 60_000;
const deadLetters = { name: feedTopics.deadLetters };

function startChain(barsFrom: 'prices' | 'trades' = 'prices'): Promise<PipelineDriver> {
  return PipelineDriver.start({
    topics: {
      ...Object.fromEntries(
        marketTopics.map(({ name, settings }) => [
          name,
          { ...settings, partitions: 2, maxMessageBytes: 4_096 },
        ]),
      ),
      [feedTopics.deadLetters]: { maxMessageBytes: 1_000_000 },
      [feedTopics.positions]: { compaction: true },
    },
    pipelines: () => marketPipelines({ barsFrom }),
  });
}

/** The price of a minute, as a feed of bars says it. */
function price(at: number, rest: Partial<MarketPrice> = {}): MarketPrice {
  const time = marketStart + at * minute;
  return {
    venue: 'sim',
    symbol: 'BTC-USD',
    price: 100,
    time,
    intervalMs: minute,
    high: 101,
    low: 99,
    volume: 2,
    ...rest,
  };
}

const trade = (rest: Partial<MarketTrade> = {}): MarketTrade => ({
  venue: 'sim',
  symbol: 'BTC-USD',
  price: 100,
  size: 1,
  side: 'buy',
  time: marketStart + minute,
  ...rest,
});

const book = (rest: Partial<OrderBook> = {}): OrderBook => ({
  venue: 'sim',
  symbol: 'BTC-USD',
  bids: [[99, 1]],
  asks: [[101, 1]],
  time: marketStart + minute,
  ...rest,
});

const headers = { source: 'test', 'ingest-time': String(marketStart + minute), raw: Buffer.from([0, 200]) };

function give(
  driver: PipelineDriver,
  topic: { readonly name: string },
  text: string,
  rest: GivenMessage = {},
): void {
  driver.giveBytes(topic, Buffer.from(text), { key: 'BTC-USD', timestamp: marketStart, headers, ...rest });
}

const text = ({ payload }: Message): string => Buffer.from(payload ?? []).toString();

/** JSON in which the numbers stand that JSON.stringify does not write. */
const json = (value: object, replaced: Readonly<Record<string, string>> = {}): string =>
  Object.entries(replaced).reduce(
    (all, [field, written]) => all.replace(new RegExp(`"${field}":[^,}]+`), `"${field}":${written}`),
    JSON.stringify(value),
  );

describe('bad market data is dead-lettered as it came, with its reason', () => {
  it.each<[what: string, payload: string, reason: string]>([
    ['broken JSON', '{"venue":"sim"', 'not JSON'],
    ['no JSON at all', '\u0000\uFFFF', 'not JSON'],
    ['another shape', '[1,2]', 'MarketPrice'],
    ['a price of NaN', json(price(1), { price: 'NaN' }), 'not JSON'],
    ['no price', json(price(1), { price: 'null' }), 'price'],
    ['an infinite price', json(price(1), { price: '1e999' }), 'price is Infinity, must be a number above 0'],
    ['a negative price', json(price(1, { price: -1 })), 'price is -1, must be a number above 0'],
    ['a price of zero', json(price(1, { price: 0 })), 'price is 0, must be a number above 0'],
    ['a low of zero', json(price(1, { low: 0 })), 'low is 0, must be a number above 0'],
    ['an infinite high', json(price(1), { high: '1e999' }), 'high is Infinity, must be a number above 0'],
    ['a bar upside down', json(price(1, { high: 99, low: 101 })), 'high 99 is below low 101'],
    ['a negative volume', json(price(1, { volume: -2 })), 'volume is -2, must be a number from 0'],
    ['a negative interval', json(price(1, { intervalMs: -1 })), 'intervalMs is -1'],
    ['a time in seconds since another age', json(price(1, { time: -5 })), 'time is -5'],
    [
      'a time in microseconds',
      json(price(1, { time: marketStart * 1_000 })),
      'must be milliseconds since 1970',
    ],
    ['an infinite time', json(price(1), { time: '1e999' }), 'time is Infinity'],
    ['a time far ahead', json(price(7)), 'its time 1767571620000 is 360000 ms ahead of its ingest time'],
    ['a symbol of two words', json(price(1, { symbol: 'BTC USD' })), 'symbol is "BTC USD"'],
  ])('price: %s', async (_, payload, reason) => {
    const driver = await startChain();
    give(driver, marketPrices, payload);
    const [letter, ...more] = driver.messages(deadLetters);
    expect(more).toEqual([]);
    expect(letter && text(letter)).toBe(payload);
    expect(letter?.headers.get('x-dlq-reason')).toContain(reason);
    expect(letter?.headers.get('x-dlq-failure')).toBe('decode');
    expect(letter?.headers.get('x-dlq-pipeline')).toBe('bars');
    expect(letter?.headers.getBytes('raw')).toEqual(Buffer.from([0, 200]));
    expect(letter?.headers.get('source')).toBe('test');
    expect(letter).toMatchObject({ key: 'BTC-USD', timestamp: marketStart });
    driver.mark(marketPrices, marketStart + 100 * minute);
    expect(driver.values(marketBars)).toEqual([]);
    expect(await driver.status('bars')).toMatchObject({ consumed: 1, deadLettered: 1, lag: 0, inFlight: 0 });
  });

  it.each<[what: string, payload: string, reason: string]>([
    ['a price of zero', json(trade({ price: 0 })), 'price is 0'],
    ['no size', json(trade({ size: 0 })), 'size is 0'],
    ['an infinite size', json(trade(), { size: '1e999' }), 'size is Infinity'],
    ['a side of its own', json({ ...trade(), side: 'both' }), 'side'],
    ['a time far ahead', json(trade({ time: marketStart + 7 * minute })), 'ahead of its ingest time'],
  ])('trade: %s', async (_, payload, reason) => {
    const driver = await startChain('trades');
    give(driver, marketTrades, payload);
    const [letter] = driver.messages(deadLetters);
    expect(letter && text(letter)).toBe(payload);
    expect(letter?.headers.get('x-dlq-reason')).toContain(reason);
  });

  it.each<[what: string, payload: string, reason: string]>([
    ['a negative price', json(book({ bids: [[-1, 1]] })), 'bids hold 1 at -1'],
    ['an empty level', json(book({ asks: [[101, 0]] })), 'asks hold 0 at 101'],
    ['a level of one number', json({ ...book(), asks: [[101]] }), 'asks'],
    ['a time far ahead', json(book({ time: marketStart + 7 * minute })), 'ahead of its ingest time'],
  ])('book: %s', async (_, payload, reason) => {
    const driver = await startChain();
    give(driver, marketOrderbook, payload);
    const [letter] = driver.messages(deadLetters);
    expect(letter && text(letter)).toBe(payload);
    expect(letter?.headers.get('x-dlq-reason')).toContain(reason);
    expect(letter?.headers.get('x-dlq-pipeline')).toBe('liquidity');
  });

  it('a tombstone, and an ingest time that is none', async () => {
    const driver = await startChain();
    driver.giveBytes(marketPrices, null, { key: 'BTC-USD', timestamp: 1 });
    give(driver, marketPrices, json(price(1)), { headers: { 'ingest-time': 'soon' } });
    const letters = driver.messages(deadLetters);
    expect(letters.map(letter => letter.payload?.length)).toEqual([undefined, json(price(1)).length]);
    expect(letters.map(letter => letter.headers.get('x-dlq-reason'))).toEqual([
      'no payload: a tombstone',
      'its ingest-time "soon" is no time in milliseconds',
    ]);
  });

  it('bars written by somebody else, in whatever reads them', async () => {
    const driver = await startChain();
    const bar = {
      ...price(1),
      end: marketStart + 30_000,
      open: 100,
      close: 100,
      closedBy: { time: 1, price: 1 },
    };
    give(driver, marketBars, JSON.stringify(bar));
    driver.mark(marketBars, marketStart + 240 * minute);
    driver.runFor(10);
    const reasons = driver.messages(deadLetters).map(letter => letter.headers.get('x-dlq-reason'));
    expect(reasons).toHaveLength(2);
    for (const reason of reasons) expect(reason).toContain('is not the end of a minute. Write closed');
  });
});

describe('nothing is lost without a trace', () => {
  it('every price is in a bar, late, a repetition, or a dead letter', async () => {
    const driver = await startChain();
    const good = [1, 2, 3, 4, 6].map(at => price(at));
    const ticks = [10, 20, 30].map((second): MarketPrice => {
      const time = marketStart + 6 * minute + second * 1_000;
      return { venue: 'sim', symbol: 'BTC-USD', price: 90 + second, time };
    });
    // Sums of ten seconds: the first of each time counts.
    const sums = [1, 1, 2, 2, 2].map(n =>
      price(8, { time: marketStart + 7 * minute + n * 10_000, intervalMs: 10_000 }),
    );
    const late = [price(2, { price: 50 }), price(4), price(5)];
    const bad = [price(5, { price: -1 }), price(5, { high: 1, low: 2 })];
    for (const value of good) give(driver, marketPrices, json(value), { headers: {} });
    for (const value of [...ticks, ...late, ...bad, ...sums]) {
      give(driver, marketPrices, json(value), { headers: {} });
    }
    driver.mark(marketPrices, marketStart + 60 * minute);
    const { consumed, deadLettered, lag } = await driver.status('bars');
    const sum = (name: string): number => driver.runtime.meter.sum(name, { pipeline: 'bars' });
    expect({ consumed, deadLettered, lag }).toEqual({ consumed: 18, deadLettered: 2, lag: 0 });
    expect(sum('stream_late_total')).toBe(3);
    expect(sum('stream_filtered_total')).toBe(3);
    const bars = driver.values(marketBars);
    expect(bars.map(({ end, close, volume }) => [(end - marketStart) / minute, close, volume])).toEqual([
      [1, 100, 2],
      [2, 100, 2],
      [3, 100, 2],
      [4, 100, 2],
      [6, 100, 2],
      [7, 120, 0],
      [8, 100, 4],
    ]);
    // 5 + 3 + 2 updates in bars, 3 late, 3 repeated, 2 dead.
    expect(5 + 3 + 2 + 3 + 3 + 2).toBe(consumed);
  });

  // Kills: bars that do not wait for updates out of order (latenessMs 0).
  it('a price out of order by less than two seconds counts, one by more is late', async () => {
    const driver = await startChain();
    const end = marketStart + minute;
    const tick = (time: number, at: number): void => {
      give(driver, marketPrices, json({ venue: 'sim', symbol: 'BTC-USD', price: at, time }), { headers: {} });
    };
    tick(end - 5_000, 100);
    tick(end + 1_900, 101);
    tick(end - 50, 150);
    tick(end + 2_100, 102);
    tick(end - 40, 200);
    expect(driver.values(marketBars)).toMatchObject([
      { end, high: 150, close: 150, closedBy: { time: end + 2_100, price: 102 } },
    ]);
    expect(driver.runtime.meter.sum('stream_late_total', { pipeline: 'bars' })).toBe(1);
    expect((await driver.status('bars')).lag).toBe(0);
  });

  it('a message over the limit of its topic is a dead letter of its feed, which goes on', async () => {
    const driver = await startChain();
    const levels = Array.from({ length: 1_000 }, (_, n): readonly [number, number] => [99 - n / 100, 1]);
    const feed: Feed = {
      name: 'large',
      contents: { prices: 'none', trades: false, books: true },
      async *read() {
        await Promise.resolve();
        yield {
          items: [
            { kind: 'book', value: book({ bids: levels }) },
            { kind: 'book', value: book() },
            { kind: 'malformed', raw: Buffer.from('%%'), reason: 'no frame', place: 'line 7' },
          ],
          position: '1',
        };
      },
    };
    const ended = await runFeed(feed, driver.bus, new AbortController().signal, { topics: feedTopics });
    expect(ended).toBe(true);
    const [first, second] = driver.messages(deadLetters).sort((a, b) => text(b).length - text(a).length);
    expect(first && text(first)).toBe(JSON.stringify(book({ bids: levels })));
    expect(first?.headers.get('x-dlq-reason')).toContain(
      'the limit is 4096: make it smaller or raise maxMessageSize',
    );
    expect(first?.headers.get('x-dlq-original-topic')).toBe(feedTopics.books);
    expect(first?.headers.get('source')).toBe('large');
    expect(second && text(second)).toBe('%%');
    expect(second?.headers.get('x-dlq-reason')).toBe('line 7: no frame');
    expect((await driver.status('liquidity')).consumed).toBe(1);
    expect(driver.messages({ name: feedTopics.positions })).toHaveLength(1);
  });
});
