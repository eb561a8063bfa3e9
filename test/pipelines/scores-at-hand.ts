import type { MarketLiquidity } from '../../pipelines/liquidity-measure.ts';
import { horizons } from '../../pipelines/momentum-horizons.ts';
import type { MomentumScore } from '../../pipelines/momentum-value.ts';
import { start } from './bars-at-hand.ts';

/** A score that passes every gate in a choppy market. */
export function score(rest: Partial<MomentumScore> = {}): MomentumScore {
  const time = rest.time ?? start;
  const price = rest.price ?? 100;
  return {
    venue: 'binance',
    symbol: 'ADA-USDT',
    time,
    price,
    score: 80,
    regime: 'choppy',
    regimeTime: start,
    parts: {
      returns: [0.01, 0.04, 0.1, 0.1, 0.2],
      z: [1, 2, 3, 2, 1.5],
      weights: [0.25, 0.35, 0.25, 0.15, 0],
      contributions: [0.25, 0.7, 0.75, 0.3, 0],
    },
    strength: 2.1,
    acceleration: 0.01,
    boost: 0.1,
    atr: 1,
    atrPercent: 0.01,
    rsi: 60,
    adx: 30,
    vadr: 2.5,
    dailyVolume: 2_000_000,
    hurst: 0.5,
    high: price,
    low: price,
    closedBy: { time, price },
    ...rest,
  };
}

/** The score with another return over one horizon. */
export function withReturn(from: MomentumScore, horizon: '4h' | '24h', move: number): MomentumScore {
  const returns = from.parts.returns.with(horizons.indexOf(horizon), move);
  return { ...from, parts: { ...from.parts, returns } };
}

/** A liquidity that passes every gate. */
export const liquid: MarketLiquidity = {
  venue: 'binance',
  symbol: 'ADA-USDT',
  time: start,
  mid: 100,
  spreadBps: 10,
  bidDepth: 500_000,
  askDepth: 400_000,
};
