import { Backoff } from '../core/backoff.ts';
import { CcxtItems } from './ccxt/ccxt-items.ts';
import { loadCcxt, openExchange, type CcxtExchange, type LoadCcxt } from './ccxt/ccxt-module.ts';
import { FeedError, type Feed, type FeedBatch, type FeedItem } from './feed.ts';
import { ItemQueue } from './live/item-queue.ts';
import { LiveClock } from './live/live-clock.ts';
import { systemTimers, type Timers } from './live/timers.ts';
import { splitSymbol } from './symbols.ts';

export interface CcxtFeedOptions {
  /** Default: from venue and symbols. */
  readonly name?: string;
  /** Default both. */
  readonly channels?: readonly ('ticker' | 'trades')[];
  /** Where the exchange does not push: between two polls of a symbol, ms. Default 2 s. */
  readonly pollMs?: number;
  /** Failed requests in a row, of one symbol and channel, after which the feed fails. Default 10. */
  readonly maxAttempts?: number;
  /** How far time items stay behind the newest event, ms. Default 2 s. */
  readonly slackMs?: number;
  /** Items that wait for the reader before requests pause. Default 8192. */
  readonly maxQueue?: number;
  /** Clock and timers. Default the machine's. */
  readonly timers?: Timers;
  /** 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Default `import('ccxt')`, which is an optional peer. */
  readonly load?: LoadCcxt;
  /** Is told of requests that failed and are made again. */
  readonly onError?: (text: string) => void;
}

type Channel = 'ticker' | 'trades';

/** Errors of ccxt that asking again does not mend. */
const hopeless = new Set(['BadSymbol', 'AuthenticationError', 'PermissionDenied', 'NotSupported']);

/**
 * Tickers and trades of any exchange that ccxt knows, pushed where the exchange can, else polled.
 * @throws FeedError while reading: ccxt is not installed, has no such exchange, or the exchange refuses
 */
export function ccxtFeed(venue: string, symbols: readonly string[], options: CcxtFeedOptions = {}): Feed {
  const name = options.name ?? `ccxt:${venue}:${symbols.join(',')}`;
  if (symbols.length === 0) throw new FeedError(name, 'no symbols are named: give some, such as BTC-USD');
  const channels = options.channels ?? ['ticker', 'trades'];
  return {
    name,
    contents: {
      prices: channels.includes('ticker') ? 'ticks' : 'none',
      trades: channels.includes('trades'),
      books: false,
    },
    async *read(_position, signal): AsyncGenerator<FeedBatch> {
      const exchange = await openExchange(name, venue, options.load ?? loadCcxt);
      yield* new CcxtReading(name, venue, exchange, options).read(symbols, channels, signal);
    },
  };
}

class CcxtReading {
  readonly #name: string;
  readonly #exchange: CcxtExchange;
  readonly #options: CcxtFeedOptions;
  readonly #timers: Timers;
  readonly #items: CcxtItems;
  readonly #clock: LiveClock;
  readonly #queue: ItemQueue;
  readonly #abort = new AbortController();
  readonly #venue: string;
  #drained: (() => void) | undefined;
  #room: Promise<void> | undefined;

  constructor(name: string, venue: string, exchange: CcxtExchange, options: CcxtFeedOptions) {
    this.#name = name;
    this.#venue = venue;
    this.#exchange = exchange;
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#items = new CcxtItems(venue);
    this.#clock = new LiveClock(options.slackMs ?? 2000, 0);
    this.#queue = new ItemQueue(options.maxQueue ?? 8192, () => {
      this.#room = undefined;
      this.#drained?.();
    });
  }

  async *read(
    symbols: readonly string[],
    channels: readonly Channel[],
    signal: AbortSignal,
  ): AsyncGenerator<FeedBatch> {
    const stop = (): void => this.#stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      for (const symbol of symbols) for (const channel of channels) void this.#follow(symbol, channel);
      void this.#tell();
      for (;;) {
        const items = await this.#queue.take(512);
        if (items === undefined || this.#stopped()) return;
        yield { items, position: '{}', isLive: true };
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#stop();
      await this.#exchange.close().catch(() => undefined);
    }
  }

  #stop(failure?: Error): void {
    this.#abort.abort();
    this.#drained?.();
    this.#queue.end(failure);
  }

  #stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Asks for one channel of one symbol again and again, waiting where the reader is slow. */
  async #follow(symbol: string, channel: Channel): Promise<void> {
    const pushes = this.#exchange.pushes[channel];
    const { maxAttempts = 10, random = Math.random, pollMs = 2000, onError } = this.#options;
    const backoff = new Backoff(this.#name, { firstDelayMs: 500, maxDelayMs: 30_000, random });
    const place = `ccxt ${this.#venue} ${channel} ${symbol}`;
    let failed = 0;
    for (let first = !pushes; !this.#stopped();) {
      try {
        const items = await this.#ask(symbol, channel, first, place);
        if (this.#stopped()) return;
        [failed, first] = [0, false];
        this.#say(items);
        if (!pushes) await this.#wait(pollMs);
      } catch (cause) {
        if (this.#stopped()) return;
        const error = cause instanceof Error ? cause : new Error(String(cause));
        failed += 1;
        if (failed >= maxAttempts || hopeless.has(error.name)) {
          const remedy = 'check the symbol, or use another exchange';
          this.#stop(new FeedError(this.#name, `${place} failed: ${error.message}; ${remedy}`, { cause }));
          return;
        }
        onError?.(`${place}: ${error.message}`);
        await this.#wait(backoff.delayMs(failed));
      }
      await this.#room;
    }
  }

  async #ask(symbol: string, channel: Channel, first: boolean, place: string): Promise<readonly FeedItem[]> {
    const own = splitSymbol(symbol).join('/');
    if (channel === 'ticker') {
      const ticker = await this.#exchange.ticker(own);
      return this.#items.ticker(ticker, this.#timers.now(), place);
    }
    const rows = await this.#exchange.trades(own);
    return this.#items.trades(rows, first, this.#timers.now(), place);
  }

  #say(items: readonly FeedItem[]): void {
    this.#clock.saw(items, this.#timers.now());
    if (this.#queue.push(items)) return;
    this.#room ??= new Promise(resolve => (this.#drained = resolve));
  }

  /** Says once a second how far time has come. */
  async #tell(): Promise<void> {
    for (;;) {
      await this.#wait(1000);
      if (this.#stopped()) return;
      const item = this.#clock.tick();
      if (item !== undefined) this.#queue.push([item]);
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise(resolve => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#timers.after(ms, done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
