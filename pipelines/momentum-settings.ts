import * as t from 'io-ts';
import { type PerHorizon, horizons } from './momentum-horizons.ts';
import { integerBetween, numberBetween, satisfying } from './number-codecs.ts';
import { type PerRegime, perRegime } from './regime-label.ts';

/** How long the indicators look back. A state built with others is refused. */
export interface IndicatorSettings {
  /** A close older than this does not tell the price. Default 5 minutes. */
  readonly staleMinutes: number;
  /** 1h bars of the average true range. Default 14. */
  readonly atrBars: number;
  /** Changes between 4h closes of the relative strength index. Default 14. */
  readonly rsiBars: number;
  /** 1h bars of the average directional index. Default 14. */
  readonly adxBars: number;
  /** 1h bars that the last one's activity is compared with. Default 20. */
  readonly vadrBars: number;
  /** 1h closes of the Hurst exponent. Default 128. */
  readonly hurstBars: number;
  /** Its shortest lag, in bars. Default 2. */
  readonly hurstLagFrom: number;
  /** Its longest lag, in bars. Default 20. */
  readonly hurstLagTo: number;
}

/** Settings of the momentum score; `configs/momentum.yaml` holds the defaults. */
export interface MomentumSettings {
  /** Percent of each horizon in each regime; each regime's add up to 100. */
  readonly weights: PerRegime<PerHorizon<number>>;
  /** How far the sum moves from zero where acceleration has its sign. Default 0.1. */
  readonly accelerationBoost: number;
  /** `score = 100 * tanh(sum / scoreScale)`. Default 2. */
  readonly scoreScale: number;
  readonly indicators: IndicatorSettings;
}

const percent = numberBetween(0, 100);
const weights: t.Type<PerHorizon<number>> = satisfying(
  t.type({ '1h': percent, '4h': percent, '12h': percent, '24h': percent, '7d': percent }),
  'percentages that add up to 100',
  w => Math.abs(horizons.reduce((sum, horizon) => sum + w[horizon], 0) - 100) < 1e-9,
);

const bars = integerBetween(2, 1_000);

export const IndicatorSettings: t.Type<IndicatorSettings> = satisfying(
  t.type({
    staleMinutes: integerBetween(0, 60),
    atrBars: bars,
    rsiBars: bars,
    adxBars: bars,
    vadrBars: bars,
    hurstBars: bars,
    hurstLagFrom: integerBetween(1, 500),
    hurstLagTo: integerBetween(2, 500),
  }),
  'indicators with hurstLagFrom < hurstLagTo < hurstBars - 1',
  s => s.hurstLagFrom < s.hurstLagTo && s.hurstLagTo < s.hurstBars - 1,
);

export const MomentumSettings: t.Type<MomentumSettings> = t.type({
  weights: perRegime(weights),
  accelerationBoost: numberBetween(0, 10),
  scoreScale: numberBetween(0.01, 100),
  indicators: IndicatorSettings,
});

/** What holds where a configuration says nothing else. */
export const defaultMomentumSettings: MomentumSettings = {
  weights: {
    trending_bull: { '1h': 15, '4h': 30, '12h': 35, '24h': 15, '7d': 5 },
    choppy: { '1h': 25, '4h': 35, '12h': 25, '24h': 15, '7d': 0 },
    high_vol: { '1h': 20, '4h': 35, '12h': 30, '24h': 15, '7d': 0 },
    unknown: { '1h': 20, '4h': 35, '12h': 30, '24h': 15, '7d': 0 },
  },
  accelerationBoost: 0.1,
  scoreScale: 2,
  indicators: {
    staleMinutes: 5,
    atrBars: 14,
    rsiBars: 14,
    adxBars: 14,
    vadrBars: 20,
    hurstBars: 128,
    hurstLagFrom: 2,
    hurstLagTo: 20,
  },
};
