import { describe, expect, it } from 'vitest';
import { ccxtFeed, type CcxtFeedOptions } from '../../src/feeds/ccxt-feed.ts';
import { FeedError, type FeedItem } from '../../src/feeds/feed.ts';
import { ManualTimers } from './manual-timers.ts';

const start = 1_700_000_000_000;

type Answer = (poll: number, symbol: string) => unknown;

/** A module with one exchange, `fake`; its methods answer by the number of the call. */
function fake(
  has: Record<string, boolean>,
  methods: Record<string, Answer>,
): { load: () => Promise<unknown>; asked: string[]; closed: () => number } {
  const asked: string[] = [];
  let closed = 0;
  class Fake {
    readonly has = has;
    constructor() {
      for (const [name, answer] of Object.entries(methods)) {
        let calls = 0;
        Object.assign(this, {
          [name]: async (symbol: string) => {
            asked.push(`${name} ${symbol}`);
            const value = await Promise.resolve(answer(calls++, symbol));
            if (value instanceof Error) throw value;
            return value;
          },
        });
      }
    }
    close(): void {
      closed += 1;
    }
  }
  return {
    load: () => Promise.resolve({ default: { exchanges: ['fake'], fake: Fake } }),
    asked,
    closed: () => closed,
  };
}

const trade = (id: string, at: number): object => ({
  id,
  symbol: 'BTC/USD',
  price: 10,
  amount: 2,
  side: 'buy',
  timestamp: start + at,
});
const ticker = (last: number, at: number): object => ({
  symbol: 'BTC/USD',
  last,
  bid: 9,
  ask: 11,
  timestamp: start + at,
});
const never = (): Promise<never> => new Promise(() => undefined);

/** Reads until enough items are there; while nothing comes, time passes. */
async function read(
  enough: number,
  options: CcxtFeedOptions & { readonly load: () => Promise<unknown> },
): Promise<readonly FeedItem[]> {
  const timers = new ManualTimers(start);
  const items: FeedItem[] = [];
  const feed = ccxtFeed('fake', ['BTC-USD'], { timers, random: () => 1, ...options });
  let reading = true;
  const pass = (): void => {
    if (!reading) return;
    timers.advance(500);
    setImmediate(pass);
  };
  setImmediate(pass);
  try {
    for await (const batch of feed.read(null, new AbortController().signal)) {
      items.push(...batch.items);
      if (items.length >= enough) break;
    }
  } finally {
    reading = false;
  }
  expect(timers.pending).toBe(0);
  return items;
}

const said = (items: readonly FeedItem[]): readonly unknown[] =>
  items.map(item =>
    item.kind === 'trade' ? item.value.tradeId : item.kind === 'price' ? item.value.price : item.kind,
  );

describe('a ccxt feed', () => {
  it('polls an exchange that does not push: what was before is not said, what repeats only once', async () => {
    const polls = [
      [trade('1', 1), trade('2', 2)],
      [trade('2', 2), trade('3', 3)],
      [trade('3', 3), trade('4', 4)],
    ];
    const module = fake({}, { fetchTrades: poll => polls[Math.min(poll, 2)] });
    const items = await read(2, { load: module.load, channels: ['trades'], slackMs: start * 2 });
    expect(said(items)).toEqual(['3', '4']);
    expect(items[0]).toEqual({
      kind: 'trade',
      value: {
        venue: 'fake',
        symbol: 'BTC-USD',
        price: 10,
        size: 2,
        side: 'buy',
        tradeId: '3',
        time: start + 3,
      },
      receivedAt: expect.any(Number) as number,
    });
    expect(new Set(module.asked)).toEqual(new Set(['fetchTrades BTC/USD']));
    expect(module.closed()).toBe(1);
  });

  it('watches one that does', async () => {
    const module = fake(
      { watchTicker: true, watchTrades: true },
      {
        watchTicker: poll => (poll < 2 ? ticker(10 + poll, poll) : never()),
        watchTrades: poll => (poll < 1 ? [trade('1', 5)] : never()),
      },
    );
    const items = await read(3, { load: module.load });
    expect(said(items).toSorted()).toEqual(['1', 10, 11].toSorted());
    expect(items.find(item => item.kind === 'price')).toMatchObject({
      value: { bid: 9, ask: 11, time: start },
    });
  });

  it('says a ticker that has not changed once, and the time that has come', async () => {
    const module = fake({}, { fetchTicker: poll => ticker(poll < 3 ? 10 : 11, poll < 3 ? 5000 : 9000) });
    const items = await read(4, { load: module.load, channels: ['ticker'], slackMs: 1000 });
    expect(items.map(item => (item.kind === 'time' ? item.time - start : item.kind))).toEqual([
      'price',
      4000,
      'price',
      8000,
    ]);
  });

  it('says what is neither ticker nor trade as malformed', async () => {
    const module = fake(
      { watchTicker: true },
      { watchTicker: poll => (poll === 0 ? { symbol: 7 } : never()) },
    );
    const [item] = await read(1, { load: module.load, channels: ['ticker'] });
    expect(item).toMatchObject({
      kind: 'malformed',
      place: 'ccxt fake ticker BTC-USD',
      reason: expect.stringContaining('neither a ticker') as string,
    });
  });

  it('asks again after a failure, and fails when it goes on, saying where', async () => {
    const errors: string[] = [];
    const mends = fake({}, { fetchTicker: poll => (poll < 2 ? new Error('busy') : ticker(1, 1)) });
    expect(
      said(await read(1, { load: mends.load, channels: ['ticker'], onError: text => errors.push(text) })),
    ).toEqual([1]);
    expect(errors).toEqual(['ccxt fake ticker BTC-USD: busy', 'ccxt fake ticker BTC-USD: busy']);
    const broken = fake({}, { fetchTicker: () => new Error('busy') });
    await expect(read(1, { load: broken.load, channels: ['ticker'], maxAttempts: 3 })).rejects.toThrow(
      /ccxt fake ticker BTC-USD failed: busy; check the symbol/,
    );
    expect(broken.asked).toHaveLength(3);
    expect(broken.closed()).toBe(1);
  });

  it('does not ask again for a symbol that the exchange does not have', async () => {
    const module = fake(
      {},
      { fetchTicker: () => Object.assign(new Error('no such market'), { name: 'BadSymbol' }) },
    );
    await expect(read(1, { load: module.load, channels: ['ticker'] })).rejects.toThrow(FeedError);
    expect(module.asked).toHaveLength(1);
  });

  it('says how to install ccxt where it is missing', async () => {
    const load = (): Promise<unknown> =>
      Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
    await expect(read(1, { load })).rejects.toThrow('ccxt is not installed: run npm install ccxt@^4.5');
    await expect(read(1, { load: () => Promise.reject(new Error('odd')) })).rejects.toThrow(
      /cannot be loaded \(odd\)/,
    );
  });

  it('refuses exchanges that ccxt does not have, and modules that are not ccxt', async () => {
    const { load } = fake({}, {});
    const open = async (venue: string, from = load): Promise<void> => {
      for await (const _ of ccxtFeed(venue, ['BTC-USD'], { load: from }).read(
        null,
        new AbortController().signal,
      ))
        return _ && undefined;
    };
    await expect(open('nowhere')).rejects.toThrow(
      'ccxt has no exchange nowhere: use one of ccxt.exchanges, such as kraken',
    );
    await expect(open('constructor')).rejects.toThrow(/no exchange constructor/);
    await expect(open('fake', () => Promise.resolve({ fake: Date }))).rejects.toThrow(
      /is no exchange of ccxt 4/,
    );
    expect(() => ccxtFeed('fake', [])).toThrow(/no symbols are named/);
  });

  it('ends with the abort', async () => {
    const module = fake({ watchTicker: true }, { watchTicker: never });
    const abort = new AbortController();
    const reading = (async () => {
      const all = [];
      for await (const batch of ccxtFeed('fake', ['BTC-USD'], {
        load: module.load,
        channels: ['ticker'],
      }).read(null, abort.signal))
        all.push(batch);
      return all;
    })();
    setImmediate(() => abort.abort());
    expect(await reading).toEqual([]);
    expect(module.closed()).toBe(1);
  });
});
