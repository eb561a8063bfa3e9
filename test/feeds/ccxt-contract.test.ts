import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type CcxtFeedOptions, ccxtFeed } from '../../src/feeds/ccxt-feed.ts';
import { loadCcxt } from '../../src/feeds/ccxt/ccxt-module.ts';
import { FeedError, type FeedItem } from '../../src/feeds/feed.ts';

/** What an exchange on this machine answers to a GET, by path; a number is a status without a body. */
type Rest = Readonly<Record<string, (request: number) => unknown>>;

interface LocalExchange {
  readonly url: string;
  /** The paths that were asked for, with their queries. */
  readonly asked: readonly string[];
  /** Frames that clients sent. */
  readonly received: readonly string[];
}

async function localExchange(
  rest: Rest,
  push?: (socket: WebSocket, frame: string) => void,
): Promise<LocalExchange> {
  const asked: string[] = [];
  const received: string[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
    asked.push(`${pathname}${search}`);
    const count = counts.get(pathname) ?? 0;
    counts.set(pathname, count + 1);
    const answer = rest[pathname]?.(count) ?? 404;
    response.statusCode = typeof answer === 'number' ? answer : 200;
    response.setHeader('content-type', 'application/json');
    response.end(typeof answer === 'number' ? '{}' : JSON.stringify(answer));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      received.push(data.toString());
      push?.(socket, data.toString());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { url: `http://127.0.0.1:${port}`, asked, received };
}

type Construct = new (settings: object) => object;

const memberOf = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, name)
    : undefined;

function isConstructor(value: unknown): value is Construct {
  return typeof value === 'function';
}

/** The real ccxt with one exchange whose addresses are on this machine. */
function pointing(id: string, kind: 'polled' | 'pushed', api: object): () => Promise<unknown> {
  return async () => {
    const ccxt = memberOf(await loadCcxt(), 'default');
    const Real = memberOf(kind === 'pushed' ? memberOf(ccxt, 'pro') : ccxt, id);
    if (!isConstructor(Real)) throw new Error(`ccxt has no ${id}`);
    class Local extends Real {
      constructor(settings: object) {
        // Without the agent ccxt refuses sockets that are not encrypted.
        super({ ...settings, rateLimit: 1, urls: { api }, httpAgent: new Agent() });
      }
    }
    const exchanges = memberOf(ccxt, 'exchanges');
    return { exchanges, ...(kind === 'pushed' ? { pro: { [id]: Local } } : { [id]: Local }) };
  };
}

/** Reads until so many prices and trades are there, without what only says how far time has come. */
async function read(
  id: string,
  symbol: string,
  enough: number,
  options: CcxtFeedOptions,
): Promise<readonly FeedItem[]> {
  const items: FeedItem[] = [];
  const feed = ccxtFeed(id, [symbol], { pollMs: 5, ...options });
  for await (const batch of feed.read(null, new AbortController().signal)) {
    items.push(...batch.items.filter(({ kind }) => kind !== 'time'));
    if (items.length >= enough) break;
  }
  return items;
}

const execution = (id: number): object => ({
  id,
  side: id % 2 === 0 ? 'BUY' : 'SELL',
  price: 9_000_000 + id,
  size: 0.25,
  exec_date: `2024-05-01T10:00:0${id}.123`,
  buy_child_order_acceptance_id: 'JRF1',
  sell_child_order_acceptance_id: 'JRF2',
});

const bitflyer: Rest = {
  '/v1/getmarkets': () => [{ product_code: 'BTC_JPY', market_type: 'Spot' }],
  '/v1/getmarkets/usa': () => [],
  '/v1/getmarkets/eu': () => [],
  '/v1/getticker': request =>
    request === 1
      ? 503
      : {
          product_code: 'BTC_JPY',
          state: 'RUNNING',
          timestamp: `2024-05-01T10:00:0${Math.min(request, 2)}.5`,
          tick_id: 1,
          best_bid: 8_999_990,
          best_ask: 9_000_010,
          best_bid_size: 0.1,
          best_ask_size: 0.1,
          ltp: 9_000_000,
          volume: 10,
          volume_by_product: 5,
        },
  '/v1/getexecutions': request =>
    request === 0 ? [execution(2), execution(1)] : [execution(3), execution(2)],
};

describe('the real ccxt', () => {
  it('is polled: trades from before are not said, repeated ones once, and failed requests are made again', async () => {
    const exchange = await localExchange(bitflyer);
    const errors: string[] = [];
    const items = await read('bitflyer', 'BTC-JPY', 3, {
      load: pointing('bitflyer', 'polled', { rest: exchange.url }),
      onError: text => errors.push(text),
    });
    const trades = items.flatMap(item => (item.kind === 'trade' ? [item.value] : []));
    const prices = items.flatMap(item => (item.kind === 'price' ? [item.value] : []));
    expect(trades).toEqual([
      {
        venue: 'bitflyer',
        symbol: 'BTC-JPY',
        price: 9_000_003,
        size: 0.25,
        side: 'sell',
        tradeId: '3',
        time: Date.UTC(2024, 4, 1, 10, 0, 3, 123),
      },
    ]);
    expect(prices).toEqual(
      [0, 2].map(second => ({
        venue: 'bitflyer',
        symbol: 'BTC-JPY',
        price: 9_000_000,
        bid: 8_999_990,
        ask: 9_000_010,
        time: Date.UTC(2024, 4, 1, 10, 0, second, 500),
      })),
    );
    expect(errors).toEqual([expect.stringMatching(/^ccxt bitflyer ticker BTC-JPY: .*503/)]);
    expect(exchange.asked).toContain('/v1/getexecutions?product_code=BTC_JPY');
  });

  it('pushes: subscribes to the ticker and the trades of a symbol and says what comes', async () => {
    const trade = (trade_id: number): object => ({
      symbol: 'BTC/USD',
      side: 'buy',
      price: 60_000 + trade_id,
      qty: 0.5,
      ord_type: 'market',
      trade_id,
      timestamp: `2024-05-01T10:00:0${trade_id}.000Z`,
    });
    const exchange = await localExchange(kraken, (socket, frame) => {
      const say = (value: object): void => socket.send(JSON.stringify(value));
      if (frame.includes('"ticker"')) say({ channel: 'ticker', type: 'snapshot', data: [krakenTicker] });
      if (!frame.includes('"trade"')) return;
      say({ channel: 'trade', type: 'update', data: [trade(1), trade(2)] });
      setTimeout(() => say({ channel: 'trade', type: 'update', data: [trade(2), trade(3)] }), 50);
    });
    const items = await read('kraken', 'BTC-USD', 4, {
      load: pointing('kraken', 'pushed', {
        public: exchange.url,
        ws: { publicV2: `${exchange.url.replace('http', 'ws')}/v2` },
      }),
    });
    const trades = items.flatMap(item => (item.kind === 'trade' ? [item.value] : []));
    expect(trades).toMatchObject(
      [1, 2, 3].map(id => ({
        venue: 'kraken',
        symbol: 'BTC-USD',
        price: 60_000 + id,
        size: 0.5,
        side: 'buy',
        tradeId: String(id),
        time: Date.UTC(2024, 4, 1, 10, 0, id),
      })),
    );
    expect(items.filter(({ kind }) => kind === 'price')).toMatchObject([
      { value: { venue: 'kraken', symbol: 'BTC-USD', price: 60_000, bid: 59_999, ask: 60_001 } },
    ]);
    expect(
      exchange.received.map(frame => memberOf(memberOf(JSON.parse(frame), 'params'), 'channel')),
    ).toEqual(expect.arrayContaining(['ticker', 'trade']));
  });

  it('refuses a symbol that the exchange does not have at once, and an exchange that it does not know', async () => {
    const exchange = await localExchange(bitflyer);
    const options = { load: pointing('bitflyer', 'polled', { rest: exchange.url }) };
    const reading = read('bitflyer', 'DOGE-JPY', 1, options);
    await expect(reading).rejects.toThrow(FeedError);
    await expect(reading).rejects.toThrow(/DOGE\/JPY; check the symbol/);
    await expect(read('nowhere', 'BTC-USD', 1, { load: loadCcxt })).rejects.toThrow(
      /ccxt has no exchange nowhere/,
    );
  });
});

const kraken: Rest = {
  '/0/public/AssetPairs': () => ({
    error: [],
    result: {
      XXBTZUSD: {
        altname: 'XBTUSD',
        wsname: 'XBT/USD',
        aclass_base: 'currency',
        base: 'XXBT',
        aclass_quote: 'currency',
        quote: 'ZUSD',
        pair_decimals: 1,
        lot_decimals: 8,
        leverage_buy: [],
        fees: [[0, 0.4]],
        fees_maker: [[0, 0.25]],
        ordermin: '0.0001',
        costmin: '0.5',
        status: 'online',
      },
    },
  }),
  '/0/public/Assets': () => ({
    error: [],
    result: {
      XXBT: { aclass: 'currency', altname: 'XBT', decimals: 10, display_decimals: 5, status: 'enabled' },
      ZUSD: { aclass: 'currency', altname: 'USD', decimals: 4, display_decimals: 2, status: 'enabled' },
    },
  }),
};

const krakenTicker: object = {
  symbol: 'BTC/USD',
  bid: 59_999,
  bid_qty: 1,
  ask: 60_001,
  ask_qty: 2,
  last: 60_000,
  volume: 100,
  vwap: 60_000,
  low: 59_000,
  high: 61_000,
  change: 10,
  change_pct: 0.1,
};
