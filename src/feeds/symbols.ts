/** Names that venues have of their own for what everybody else calls otherwise. */
const aliases: Readonly<Record<string, string>> = { XBT: 'BTC', XXBT: 'BTC', XDG: 'DOGE', XXDG: 'DOGE' };

/** Quote currencies that end a symbol without separator, as spot and futures at Binance know them. */
export const binanceQuotes: readonly string[] = [
  'FDUSD',
  'USDT',
  'USDC',
  'USDP',
  'TUSD',
  'BUSD',
  'BIDR',
  'BVND',
  'IDRT',
  'BKRW',
  'USDS',
  'DOGE',
  'AEUR',
  'EURI',
  'BTC',
  'ETH',
  'BNB',
  'XRP',
  'TRX',
  'SOL',
  'DOT',
  'DAI',
  'VAI',
  'PAX',
  'UST',
  'USD',
  'EUR',
  'GBP',
  'AUD',
  'BRL',
  'TRY',
  'RUB',
  'UAH',
  'NGN',
  'ZAR',
  'JPY',
  'PLN',
  'RON',
  'ARS',
  'MXN',
  'CZK',
  'COP',
];

/** Quote currencies that end a symbol without separator at Bitstamp; it has no TUSD, so `batusd` is BAT-USD. */
export const bitstampQuotes: readonly string[] = [
  'RLUSD',
  'USDT',
  'USDC',
  'EURC',
  'USD',
  'EUR',
  'GBP',
  'BTC',
  'ETH',
  'PAX',
];

const asset = (name: string, own: Readonly<Record<string, string>>): string =>
  own[name] ?? aliases[name] ?? name;

/** How a venue writes its symbols. */
export interface SymbolRules {
  /** Quote currencies tried, longest first, where a symbol has no separator. */
  readonly quotes?: readonly string[];
  /** The venue's own asset names. */
  readonly aliases?: Readonly<Record<string, string>>;
}

const shape = /^[A-Z0-9][A-Z0-9.]{0,23}$/;

/**
 * A venue's symbol as `BASE-QUOTE`, upper case (`XBT/USD` is `BTC-USD`, `btcusdt` is `BTC-USDT`).
 * What follows base and quote stays, as it names another instrument: `BTC-USD-SWAP`.
 * Undefined where the text is no symbol, or has no separator and ends in none of the known quotes.
 */
export function normaliseSymbol(text: string, rules: SymbolRules = {}): string | undefined {
  const parts = text.toUpperCase().split(/[/_:-]/);
  if (parts.length > 5 || parts.some(part => !shape.test(part))) return undefined;
  const pair = parts.length === 1 || isDated(parts) ? splitQuote(parts[0] ?? '', rules.quotes ?? []) : [];
  const whole = pair.length === 2 ? [...pair, ...parts.slice(1)] : parts;
  if (whole.length < 2) return undefined;
  return whole.map((part, index) => (index < 2 ? asset(part, rules.aliases ?? {}) : part)).join('-');
}

/** `BTCUSDT_240927`: a contract by its last day, without a separator in the pair. */
function isDated(parts: readonly string[]): boolean {
  return parts.length === 2 && /^\d{6}$/.test(parts[1] ?? '');
}

function splitQuote(text: string, quotes: readonly string[]): readonly string[] {
  const quote = quotes.find(each => text.length > each.length && text.endsWith(each));
  return quote === undefined ? [] : [text.slice(0, -quote.length), quote];
}

/** The two halves of `BASE-QUOTE`; what follows them stays with the quote. */
export function splitSymbol(symbol: string): readonly [base: string, quote: string] {
  const at = symbol.indexOf('-');
  return at < 0 ? [symbol, ''] : [symbol.slice(0, at), symbol.slice(at + 1)];
}
