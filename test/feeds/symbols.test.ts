import { describe, expect, it } from 'vitest';
import { binanceQuotes, bitstampQuotes, normaliseSymbol, splitSymbol } from '../../src/feeds/symbols.ts';

describe('symbols', () => {
  it.each([
    ['XBT/USD', 'BTC-USD'],
    ['ADA/XBT', 'ADA-BTC'],
    ['XDG/EUR', 'DOGE-EUR'],
    ['btc-usd', 'BTC-USD'],
    ['BTC_USDT', 'BTC-USDT'],
    ['BTC-USD-SWAP', 'BTC-USD-SWAP'],
    ['TESTBTC:TESTUSD', 'TESTBTC-TESTUSD'],
  ])('%s is %s', (text, symbol) => expect(normaliseSymbol(text)).toBe(symbol));

  it.each([
    ['BTCUSDT', 'BTC-USDT'],
    ['blzeth', 'BLZ-ETH'],
    ['ETHBTC', 'ETH-BTC'],
    ['BTCUSDT_240927', 'BTC-USDT-240927'],
    ['1000SHIBUSDC', '1000SHIB-USDC'],
  ])('%s at Binance is %s', (text, symbol) =>
    expect(normaliseSymbol(text, { quotes: binanceQuotes })).toBe(symbol),
  );

  it('batusd at Bitstamp is BAT-USD, as it has no TUSD', () => {
    expect(normaliseSymbol('batusd', { quotes: bitstampQuotes })).toBe('BAT-USD');
  });

  it.each(['', 'BTCUSDT', 'BTC-', '-USD', 'BTC USD', '../etc', 'A-B-C-D-E-F'])('%j is none', text =>
    expect(normaliseSymbol(text)).toBeUndefined(),
  );

  it('splits at the first hyphen', () => {
    expect(splitSymbol('BTC-USDT-240927')).toEqual(['BTC', 'USDT-240927']);
  });
});
