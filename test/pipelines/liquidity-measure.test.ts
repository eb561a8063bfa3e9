import { describe, expect, it } from 'vitest';
import {
  MarketLiquidity,
  decodeLiquidity,
  defaultLiquiditySettings as settings,
  encodeLiquidity,
  liquidityOf,
  measureBook,
  seedLiquidity,
} from '../../pipelines/liquidity-measure.ts';
import type { OrderBook } from '../../src/index.ts';
import { minute, start } from './bars-at-hand.ts';

const book = (bids: [number, number][], asks: [number, number][], time = start): OrderBook => {
  return { venue: 'okx', symbol: 'BTC-USDT', bids, asks, time };
};

describe('measureBook', () => {
  it('measures spread and depth, worked out by hand', () => {
    // mid 100, spread 1 / 100 = 100 bps; within 2 %: bids from 98, asks to 102, both borders included
    const liquidity = measureBook(
      book(
        [
          [99.5, 2],
          [98, 10],
          [97.99, 1_000],
        ],
        [
          [100.5, 4],
          [102, 1],
          [102.01, 1_000],
        ],
      ),
      settings,
    );
    expect(liquidity).toMatchObject({ mid: 100, spreadBps: 100, bidDepth: 199 + 980, askDepth: 402 + 102 });
    expect(MarketLiquidity.is(liquidity)).toBe(true);
  });

  it.each([
    ['without bids', book([], [[100, 1]])],
    ['without asks', book([[100, 1]], [])],
    ['crossed', book([[101, 1]], [[100, 1]])],
  ])('finds nothing to trade on in a book %s', (_, given) => {
    expect(measureBook(given, settings)).toMatchObject({
      mid: null,
      spreadBps: null,
      bidDepth: 0,
      askDepth: 0,
    });
  });

  it('takes bid and ask at the same price as no spread', () => {
    expect(measureBook(book([[100, 1]], [[100, 1]]), settings)).toMatchObject({
      spreadBps: 0,
      bidDepth: 100,
    });
  });
});

describe('liquidityOf', () => {
  const at = (time: number, size: number, ask = 101): OrderBook => book([[99, size]], [[ask, 10]], time);

  it('writes the first book of each minute, and any that differs by more than a tenth', () => {
    const state = seedLiquidity();
    const written = [
      at(start + 1, 100),
      at(start + 2, 110), // exactly a tenth
      at(start + 3, 111),
      at(start + 4, 101), // less than a tenth of 111
      at(start + 5, 99),
      at(start + minute, 99), // the end of the same minute
      at(start + minute + 1, 99),
      at(start + minute + 2, 99, 101.5), // spread 200 to 250 bps
      book([[99, 99]], [], start + minute + 3),
      book([[99, 99]], [], start + minute + 4),
    ].map(b => liquidityOf(state, b, settings) !== undefined);
    expect(written).toEqual([true, false, true, false, true, false, true, true, true, false]);
  });

  it('ignores a book older than the last', () => {
    const state = seedLiquidity();
    liquidityOf(state, at(start + 10, 100), settings);
    expect(liquidityOf(state, at(start + 9, 500), settings)).toBeUndefined();
    expect(liquidityOf(state, at(start + 10, 500), settings)?.bidDepth).toBe(49_500);
  });

  it('goes on the same after its state was stored and read back', () => {
    const books = Array.from({ length: 200 }, (_, i) => at(start + i * 7_000, 100 + 30 * Math.sin(i)));
    for (let cut = 0; cut < books.length; cut += 13) {
      const state = seedLiquidity();
      for (const b of books.slice(0, cut)) liquidityOf(state, b, settings);
      const restored = decodeLiquidity(JSON.parse(JSON.stringify(encodeLiquidity(state))));
      for (const b of books.slice(cut)) {
        expect(liquidityOf(restored, b, settings)).toEqual(liquidityOf(state, b, settings));
      }
    }
    expect(() => decodeLiquidity({ lastTime: 'x', written: null })).toThrow('at lastTime');
  });
});
