import * as t from 'io-ts';
import { FeedError } from '../feed.ts';

/** What of a ccxt exchange is used; symbols are ccxt's own, `BTC/USDT`. */
export interface CcxtExchange {
  /** Whether it pushes instead of being polled. */
  readonly pushes: { readonly ticker: boolean; readonly trades: boolean };
  ticker(symbol: string): Promise<unknown>;
  trades(symbol: string): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Gives the module `ccxt`; rejects where it is not installed. */
export type LoadCcxt = () => Promise<unknown>;

/** An optional peer: its types are no part of ours, so it is loaded by a name the compiler does not follow. */
const moduleName: string = 'ccxt';
export const loadCcxt: LoadCcxt = async () => {
  const loaded: unknown = await import(moduleName);
  return loaded;
};

const Has = t.type({ has: t.UnknownRecord });

const member = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, name)
    : undefined;

/** Calls a method whose result is not known yet. */
async function call(target: object, name: string, args: readonly unknown[]): Promise<unknown> {
  const method = member(target, name);
  if (typeof method !== 'function') throw new Error(`the exchange has no method ${name}`);
  const result: unknown = await Reflect.apply(method, target, args);
  return result;
}

function missing(feed: string, cause: unknown): FeedError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const absent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  const text = cause instanceof Error ? cause.message : String(cause);
  const why = absent ? 'ccxt is not installed' : `ccxt cannot be loaded (${text})`;
  return new FeedError(feed, `${why}: run npm install ccxt@^4.5`, { cause });
}

/**
 * An exchange of ccxt by its id.
 * @throws FeedError where ccxt is not installed or has no exchange of that id
 */
export async function openExchange(feed: string, id: string, load: LoadCcxt): Promise<CcxtExchange> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (cause) {
    throw missing(feed, cause);
  }
  const ccxt = member(loaded, 'default') ?? loaded;
  const constructor = member(member(ccxt, 'pro'), id) ?? member(ccxt, id);
  const ids = member(ccxt, 'exchanges');
  if (
    typeof constructor !== 'function' ||
    !/^[a-z0-9]+$/.test(id) ||
    (Array.isArray(ids) && !ids.includes(id))
  ) {
    throw new FeedError(feed, `ccxt has no exchange ${id}: use one of ccxt.exchanges, such as kraken`);
  }
  const exchange: unknown = Reflect.construct(constructor, [{ enableRateLimit: true }]);
  if (typeof exchange !== 'object' || exchange === null || !Has.is(exchange)) {
    throw new FeedError(feed, `ccxt.${id} is no exchange of ccxt 4: run npm install ccxt@^4.5`);
  }
  return around(exchange);
}

function around(exchange: object & t.TypeOf<typeof Has>): CcxtExchange {
  const pushes = {
    ticker: exchange.has['watchTicker'] === true,
    trades: exchange.has['watchTrades'] === true,
  };
  return {
    pushes,
    ticker: symbol => call(exchange, pushes.ticker ? 'watchTicker' : 'fetchTicker', [symbol]),
    async trades(symbol): Promise<readonly unknown[]> {
      const result = await call(exchange, pushes.trades ? 'watchTrades' : 'fetchTrades', [symbol]);
      const rows: readonly unknown[] = Array.isArray(result) ? result : [result];
      return rows;
    },
    async close(): Promise<void> {
      if (typeof member(exchange, 'close') === 'function') await call(exchange, 'close', []);
    },
  };
}
