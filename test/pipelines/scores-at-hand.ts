import type { MarketLiquidity } from '../../pipelines/liquidity-measure.ts';
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
    parts: [
      { horizon: '1h', return: 0.01, z: 1, weight: 0.25, contribution: 0.25 },
      { horizon: '4h', return: 0.04, z: 2, weight: 0.35, contribution: 0.7 },
      { horizon: '12h', return: 0.1, z: 3, weight: 0.25, contribution: 0.75 },
      { horizon: '24h', return: 0.1, z: 2, weight: 0.15, contribution: 0.3 },
      { horizon: '7d', return: 0.2, z: 1.5, weight: 0, contribution: 0 },
    ],
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
  return { ...from, parts: from.parts.map(p => (p.horizon === horizon ? { ...p, return: move } : p)) };
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
