import { describe, expect, it } from 'vitest';
import { FeedError } from '../../src/feeds/feed.ts';
import type { LogLine } from '../../src/feeds/files/frame-log.ts';
import { webSocketFeed } from '../../src/feeds/websocket-feed.ts';
import { type Heard, events, listen, serve, start, venue } from './listening.ts';
import { ManualTimers } from './manual-timers.ts';
import { noRecordings, recordedLines, recordedText, replay } from './recordings.ts';
import { send, type Step } from './replay-server.ts';

const match = (id: number, at = start + id): string =>
  JSON.stringify({
    type: 'match',
    trade_id: id,
    product_id: 'BTC-USD',
    price: '10',
    size: '1',
    side: 'buy',
    time: new Date(at).toISOString(),
  });
const matches = (from: number, to: number): readonly Step[] =>
  Array.from({ length: to - from + 1 }, (_, index) => send(match(from + index)));
const tradeIds = (heard: Heard): readonly (string | undefined)[] =>
  heard.items.flatMap(item => (item.kind === 'trade' ? [item.value.tradeId] : []));

describe('a live feed', () => {
  const coinbase = venue('coinbase');

  it('subscribes and says what comes', async () => {
    const server = await serve(() => matches(1, 5));
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 5);
    expect(tradeIds(heard)).toEqual(['1', '2', '3', '4', '5']);
    expect(server.received[0]?.map(frame => JSON.parse(frame) as unknown)).toEqual([
      {
        type: 'subscribe',
        product_ids: ['BTC-USD'],
        channels: ['ticker', 'matches', 'level2_batch', 'heartbeat'],
      },
    ]);
  });

  it('connects again after a drop, subscribes again, and says repeated trades once', async () => {
    const server = await serve(connection => (connection === 0 ? [...matches(1, 5), 'drop'] : matches(3, 8)));
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 8);
    expect(tradeIds(heard)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    expect(events(heard)).toEqual(['connected', 'reconnecting', 'connected']);
    expect(heard.events[1]).toEqual({
      kind: 'reconnecting',
      reason: 'closed with code 1011',
      attempt: 1,
      inMs: 500,
    });
    expect(server.received).toHaveLength(2);
  });

  it('waits longer with every attempt that gives nothing, then fails saying where and why', async () => {
    const server = await serve(() => ['drop']);
    const waits: number[] = [];
    const reading = listen(coinbase, server, () => false, {
      maxAttempts: 4,
      onEvent: event => event.kind === 'reconnecting' && waits.push(event.inMs),
    });
    await expect(reading).rejects.toThrow(FeedError);
    await expect(reading).rejects.toThrow(
      /gave no market data in 4 attempts \(closed with code 1011\); check/,
    );
    expect(waits).toEqual([500, 1000, 2000, 4000]);
  });

  it('connects again when nothing was heard for too long', async () => {
    const server = await serve(connection =>
      connection === 0 ? [...matches(1, 2), 'stall'] : matches(3, 4),
    );
    let stalled = false;
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 4, {
      stallMs: 5000,
      react: ({ kinds }, timers) => {
        if (kinds['trade'] !== 2 || stalled) return;
        stalled = true;
        timers.advance(5000);
      },
    });
    expect(heard.events.find(event => event.kind === 'reconnecting')).toMatchObject({
      reason: 'no frame for 5000 ms',
    });
    expect(tradeIds(heard)).toEqual(['1', '2', '3', '4']);
  });

  it('says once a second that all has been said up to just behind the newest event, and never goes back', async () => {
    const server = await serve(() => [send(match(1, start + 10_000)), send(match(2, start + 4000)), 'stall']);
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['time'] === 1, {
      react: ({ kinds }, timers) => {
        if (kinds['trade'] === 2 && kinds['time'] === undefined) timers.advance(3000);
      },
    });
    expect(heard.items.at(-1)).toEqual({ kind: 'time', time: start + 9000 });
    expect(JSON.parse(heard.position)).toEqual({ time: start + 9000 });
  });

  it('does not repeat the time of its position, nor follow an event from far ahead', async () => {
    const server = await serve(() => [
      send(match(1, start + 3_600_000)),
      send(match(2, start + 8000)),
      'stall',
    ]);
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 3, {
      position: JSON.stringify({ time: start + 7000 }),
      react: ({ kinds }, timers) => {
        if (kinds['trade'] !== 2) return;
        timers.advance(5000);
        server.say(0, match(3, start + 9500));
      },
    });
    expect(heard.kinds['time']).toBeUndefined();
  });

  it('pauses the socket while the reader is slow, loses nothing and holds little', async () => {
    const server = await serve(() => matches(1, 30_000));
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 30_000, {
      maxQueue: 100,
      batchSize: 10,
    });
    const paused = heard.events.flatMap(event => (event.kind === 'paused' ? [event.queued] : []));
    expect(paused.length).toBeGreaterThan(0);
    // What one read of the socket held is handed over before it pauses.
    for (const queued of paused) expect(queued).toBe(100);
    expect(events(heard)).toContain('resumed');
    expect(new Set(tradeIds(heard)).size).toBe(30_000);
  });

  it('ends the connection at a frame that is too long', async () => {
    const server = await serve(connection => (connection === 0 ? [send('x'.repeat(5000))] : matches(1, 1)));
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 1, {
      maxFrameBytes: 1000,
    });
    expect(heard.events.find(event => event.kind === 'reconnecting')).toMatchObject({
      reason: 'Max payload size exceeded',
    });
  });

  it('says garbage and refusals of the venue as malformed items and goes on', async () => {
    const refusal = JSON.stringify({
      type: 'error',
      message: 'Failed to subscribe',
      reason: 'no such product',
    });
    const server = await serve(() => [send('{"half":'), send(refusal), ...matches(1, 1)]);
    const heard = await listen(coinbase, server, ({ kinds }) => kinds['trade'] === 1);
    expect(heard.kinds).toEqual({ malformed: 2, trade: 1 });
    expect(heard.items[1]).toMatchObject({
      place: server.url,
      reason: expect.stringContaining('no such product') as string,
    });
    expect(heard.events).toContainEqual({ kind: 'error', text: 'Failed to subscribe no such product' });
  });

  it('sends the heartbeats that a venue wants', async () => {
    const server = await serve(
      () => ['stall'],
      1,
      frame => (frame === 'ping' ? ['pong', okxTrade] : []),
    );
    const okxTrade = JSON.stringify({
      arg: { channel: 'trades', instId: 'BTC-USD' },
      data: [{ instId: 'BTC-USD', tradeId: '1', px: '1', sz: '1', side: 'buy', ts: String(start) }],
    });
    const heard = await listen(venue('okx'), server, ({ kinds }) => kinds['trade'] === 1, {
      onEvent: () => undefined,
      stallMs: 60_000,
      channels: ['trades'],
      timers: pingingTimers(),
    }).catch((error: unknown) => error);
    expect(heard).toMatchObject({ kinds: { trade: 1 } });
    expect(server.received[0]).toContain('ping');
  });

  it('tries again to fetch a snapshot that could not be had', async () => {
    const depth = (U: number, u: number): Step =>
      send(
        JSON.stringify({ e: 'depthUpdate', E: start, s: 'BTCUSD', U, u, b: [['9', '1']], a: [['10', '1']] }),
      );
    const server = await serve(() => [depth(5, 6), depth(7, 8)], 0);
    let asked = 0;
    const timers = new ManualTimers(start);
    const heard = await listen(venue('binance'), server, ({ kinds }) => kinds['book'] === 3, {
      timers,
      onEvent: event => event.kind === 'error' && queueMicrotask(() => timers.advance(500)),
      fetchText: url => {
        asked += 1;
        expect(url).toBe('https://api.binance.com/api/v3/depth?symbol=BTCUSD&limit=1000');
        if (asked === 1) return Promise.reject(new Error('busy'));
        return Promise.resolve(JSON.stringify({ lastUpdateId: 5, bids: [['8', '1']], asks: [['11', '1']] }));
      },
    });
    expect(asked).toBe(2);
    expect(heard.items.at(-1)).toMatchObject({
      value: {
        bids: [
          [9, 1],
          [8, 1],
        ],
        asks: [
          [10, 1],
          [11, 1],
        ],
        sequence: 8,
      },
    });
    timers.advance(0);
  });

  it.each([
    [[], undefined, /no symbols are named/],
    [['btcusd'], undefined, /the symbol btcusd is not of the form BASE-QUOTE/],
    [['BTC-USD'], ['bars'] as const, /coinbase has no channel bars; it has ticker, trades, book/],
    [['BTC-USD'], [] as const, /has no channel \(none named\)/],
  ])('refuses symbols %j with channels %j', (symbols, channels, message) => {
    expect(() => webSocketFeed(coinbase, symbols, channels === undefined ? {} : { channels })).toThrow(
      message,
    );
  });

  it('has a name and contents that follow from what is asked for', () => {
    const feed = webSocketFeed(venue('kraken'), ['BTC-USD'], { channels: ['bars', 'book'] });
    expect(feed.name).toBe('ws:kraken:BTC-USD,bars,book');
    expect(feed.contents).toEqual({ prices: 'bars', trades: false, books: true });
  });
});

/** Timers whose pings are due at once, when they are asked for. */
function pingingTimers(): ManualTimers {
  const timers = new ManualTimers(start);
  const after = timers.after.bind(timers);
  let first = true;
  timers.after = (delayMs, run): (() => void) => {
    if (delayMs !== 20_000 || !first) return after(delayMs, run);
    first = false;
    queueMicrotask(run);
    return () => undefined;
  };
  return timers;
}

describe.skipIf(noRecordings !== undefined)(`recorded sessions, live ${noRecordings ?? ''}`, () => {
  const texts = (lines: readonly LogLine[]): readonly string[] =>
    lines.flatMap(line => (line.kind === 'frame' ? [line.text] : []));
  const twice = (frame: string): readonly Step[] => [send(frame), send(frame)];

  it.each([
    ['kraken-v1', 'exchange-ws/KRAKEN.ws.48.0.gz', { trade: 10 }],
    ['kraken-v1', 'exchange-ws/KRAKEN.ws.50.0.gz', { book: 4279 }],
    ['coinbase', 'exchange-ws/COINBASE.ws.28.0.gz', { book: 9729, price: 107, trade: 97 }],
    ['okx', 'exchange-ws/OKX.ws.1.0.gz', { book: 290, price: 28, trade: 74 }],
    ['bitfinex', 'exchange-ws/BITFINEX.ws.11.0.gz', { book: 1600, price: 21 }],
  ])('%s: %s over a socket gives what the file gives', async (name, path, kinds) => {
    const frames = texts(recordedLines(path));
    const own = venue(name);
    const server = await serve(() => frames.map(send));
    const heard = await listen(
      own,
      server,
      each => Object.entries(kinds).every(([kind, n]) => each.kinds[kind] === n),
      {
        bookDepth: 3,
        channels: own.channels,
      },
    );
    expect(heard.kinds).toEqual(kinds);
    expect(events(heard)).not.toContain('resync');
  });

  it.each([
    ['kraken-v1', 'exchange-ws/KRAKEN.ws.48.0.gz', 10],
    ['coinbase', 'exchange-ws/COINBASE.ws.28.0.gz', 97],
    ['okx', 'exchange-ws/OKX.ws.1.0.gz', 74],
  ])('%s: frames that come twice give each trade once', async (name, path, trades) => {
    const frames = texts(recordedLines(path));
    const server = await serve(() => [...frames.flatMap(twice), send(frames.at(-1) ?? ''), 'drop']);
    const heard = await listen(venue(name), server, each => events(each).includes('reconnecting'), {
      bookDepth: 1,
    });
    expect(heard.kinds['trade']).toBe(trades);
  });

  it('a diff that is left out resyncs the book: the venue is asked, and its new snapshot makes it whole', async () => {
    const frames = texts(recordedLines('exchange-ws/KRAKEN.ws.50.0.gz')).filter(frame =>
      frame.endsWith('"XMR/USD"]'),
    );
    const [snapshot = '', ...diffs] = frames;
    const server = await serve(
      () => [send(snapshot), ...diffs.slice(0, 10).map(send), ...diffs.slice(11, 60).map(send), 'stall'],
      1,
      frame => (frame.includes('"subscribe"') ? [snapshot, ...diffs.slice(0, 5)] : []),
    );
    let recovered = 0;
    const heard = await listen(
      venue('kraken-v1'),
      server,
      each => {
        if (events(each).includes('resync')) recovered = each.kinds['book'] ?? 0;
        return recovered >= 17;
      },
      { channels: ['book'], bookDepth: 1 },
    );
    expect(heard.events.filter(event => event.kind === 'resync')).toHaveLength(1);
    expect(heard.kinds['book']).toBe(1 + 10 + 6);
    expect(server.received[0]?.slice(1).map(frame => (JSON.parse(frame) as { event: string }).event)).toEqual(
      ['unsubscribe', 'subscribe'],
    );
  });

  it.each([
    ['binance', 'binance-ws-2024/spot_btcusdt_20240808.gz'],
    ['binance-usdm', 'binance-ws-2024/usdm_btcusdt_20240808.gz'],
  ])('%s joins its stream with the snapshot fetched apart from it', async (name, path) => {
    const lines = recordedLines(path).filter(
      line => line.kind === 'frame' && !line.text.includes('bookTicker') && !line.text.includes('@trade'),
    );
    const frames = texts(lines).slice(0, 500);
    const isSnapshot = (frame: string): boolean => frame.startsWith('{"lastUpdateId"');
    const snapshot = frames.find(isSnapshot) ?? '';
    const known = replay(name, lines.slice(0, 500), { bookDepth: 1 }).kinds['book'] ?? 0;
    const server = await serve(() => frames.filter(frame => !isSnapshot(frame)).map(send), 0);
    const heard = await listen(venue(name), server, ({ kinds }) => (kinds['book'] ?? 0) >= known, {
      fetchText: () => Promise.resolve(snapshot),
      bookDepth: 1,
    });
    expect(known).toBeGreaterThan(490);
    expect(heard.items.at(-1)).toMatchObject({ kind: 'book', value: { symbol: 'BTC-USDT' } });
    expect(events(heard)).toEqual(['connected']);
  });

  it('Bitstamp joins its changes with books fetched apart from them, market by market', async () => {
    const frames = texts(recordedLines('exchange-ws/BITSTAMP.ws.1.0.gz'));
    const rest = new Map(
      recordedLines('exchange-ws/BITSTAMP.http.0.0.gz').flatMap(line =>
        line.kind === 'rest' ? [[line.url, line.text] as const] : [],
      ),
    );
    const server = await serve(() => frames.map(send));
    const heard = await listen(
      venue('bitstamp'),
      server,
      ({ kinds }) => kinds['book'] === 624 && kinds['trade'] === 10,
      { bookDepth: 1, fetchText: url => Promise.resolve(rest.get(url) ?? '') },
    );
    // One less than the file gives: the book of a market that does not change is not asked for.
    expect(heard.kinds).toEqual({ book: 624, trade: 10 });
    expect(events(heard)).not.toContain('resync');
  });

  it.each([
    [
      'kraken',
      'kraken-fixtures',
      ['pong', 'subscribe_response', 'ticker_snapshot', 'trade_update'],
      { price: 1, trade: 2 },
    ],
    [
      'coinbase-advanced',
      'coinbase-fixtures',
      ['l2_data_snapshot', 'l2_data_update', 'market_trades'],
      { book: 2, trade: 2 },
    ],
  ])('%s: its published frames over a socket', async (name, folder, files, kinds) => {
    const frames = files.map(file => recordedText(`exchange-ws/${folder}/ws_${file}.json`));
    const server = await serve(() => frames.map(send));
    const heard = await listen(venue(name), server, each =>
      Object.entries(kinds).every(([kind, n]) => each.kinds[kind] === n),
    );
    expect(heard.kinds).toEqual(kinds);
  });
});
