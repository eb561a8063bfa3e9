import * as t from 'io-ts';
import { integerBetween, numberBetween } from './number-codecs.ts';

/** Settings of the regime classification; `configs/regimes.yaml` holds the defaults. */
export interface RegimeSettings {
  /** A symbol counts as seen while its last 1m bar ended at most this long ago. Default 24 hours. */
  readonly seenHours: number;
  /** A close older than this does not tell the price. Default 5 minutes. */
  readonly staleMinutes: number;
  /** A vote needs at least this many symbols. Default 3. */
  readonly quorum: number;
  /** And at least this share of the seen ones, rounded up. Default 50 percent. */
  readonly quorumPercent: number;
  /** Symbols held; one more is refused. Default 5000. */
  readonly maxSymbols: number;
  readonly volatility: {
    /** Span of 1h bars looked at, and the span that their deviation is scaled to. Default 168 hours. */
    readonly hours: number;
    /** A symbol with fewer returns has no value. Default 48. */
    readonly minReturns: number;
    /** Above it the vote is high_vol. Default 25 percent. */
    readonly abovePercent: number;
  };
  readonly breadth: {
    /** 4h closes in the mean. Default 20. */
    readonly closes: number;
    /** Above this share the vote is trending_bull, else choppy. Default 60 percent. */
    readonly abovePercent: number;
  };
  readonly thrust: {
    /** Above this share the vote is trending_bull. Default 70 percent. */
    readonly abovePercent: number;
  };
}

const percent = numberBetween(0, 100);

export const RegimeSettings: t.Type<RegimeSettings> = t.type({
  seenHours: numberBetween(1, 168),
  staleMinutes: integerBetween(0, 60),
  quorum: integerBetween(1, 1_000),
  quorumPercent: percent,
  maxSymbols: integerBetween(1, 100_000),
  volatility: t.type({
    hours: integerBetween(3, 1_000),
    minReturns: integerBetween(2, 1_000),
    abovePercent: numberBetween(0, 1_000),
  }),
  breadth: t.type({ closes: integerBetween(7, 1_000), abovePercent: percent }),
  thrust: t.type({ abovePercent: percent }),
});

/** What holds where a configuration says nothing else. */
export const defaultRegimeSettings: RegimeSettings = {
  seenHours: 24,
  staleMinutes: 5,
  quorum: 3,
  quorumPercent: 50,
  maxSymbols: 5_000,
  volatility: { hours: 168, minReturns: 48, abovePercent: 25 },
  breadth: { closes: 20, abovePercent: 60 },
  thrust: { abovePercent: 70 },
};
