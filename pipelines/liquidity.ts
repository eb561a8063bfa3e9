import { decode, publishTo, scanByKey } from '../operators/index.ts';
import { type OrderBook, type Pipeline, pipeline } from '../src/index.ts';
import { aheadOfIngest } from './ingest-check.ts';
import {
  type LiquiditySettings,
  type LiquidityState,
  type MarketLiquidity,
  decodeLiquidity,
  defaultLiquiditySettings,
  encodeLiquidity,
  liquidityOf,
  seedLiquidity,
} from './liquidity-measure.ts';
import { stateKey } from './symbol-key.ts';
import { marketLiquidity, marketOrderbook } from './topics.ts';

/** Spread and depth of each symbol, once a minute and whenever they change by more than a tenth. */
export function liquidity(settings: LiquiditySettings = defaultLiquiditySettings): Pipeline {
  return pipeline(
    'liquidity',
    ({ source, publisher, onFailure, state, meter, scheduler }) =>
      source(marketOrderbook).pipe(
        decode(marketOrderbook, { check: aheadOfIngest }),
        scanByKey<OrderBook, LiquidityState, MarketLiquidity>(
          (known, book) => {
            const measured = liquidityOf(known, book, settings);
            return measured ? [measured] : [];
          },
          {
            name: 'liquidity',
            key: stateKey,
            seed: seedLiquidity,
            codec: { version: '1', encode: encodeLiquidity, decode: decodeLiquidity },
            state,
          },
        ),
        publishTo(marketLiquidity, publisher, {
          meter,
          scheduler,
          key: ({ symbol }) => symbol,
          time: ({ time }) => time,
          ordinal: ({ venue }) => venue,
        }),
        onFailure(),
      ),
    { summary: 'spread and depth out of order books' },
  );
}
