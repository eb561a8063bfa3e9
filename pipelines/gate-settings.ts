import * as t from 'io-ts';
import { numberBetween } from './number-codecs.ts';
import { type PerRegime, perRegime } from './regime-label.ts';

/** Settings of the gates; `configs/gates.yaml` holds the defaults. */
export interface GateSettings {
  /** Scores below it are not evaluated. Default 60. */
  readonly evaluateFrom: number;
  /**
   * What a gate counts as whose input the feed does not carry: `fail`, `skip`, or `auto` (the default):
   * skip for recorded bars, fail otherwise.
   */
  readonly onMissing: 'auto' | 'fail' | 'skip';
  /** Default 75. */
  readonly minScore: number;
  /** Least move over 4 hours, up or down, percent. Default 2.5, 3, 4, 3. */
  readonly minMovePercent: PerRegime<number>;
  /** Least activity of the last hour, in means of the hours before. Default 1.6, 2.0, 2.1, 1.75. */
  readonly minVadr: PerRegime<number>;
  /** Least volume of a day, in quote currency. Default 500,000. */
  readonly minDailyVolume: number;
  /** Trend quality: least ADX. Default 25. */
  readonly minAdx: number;
  /** Trend quality, instead: least Hurst exponent. Default 0.55. */
  readonly minHurst: number;
  /** Widest spread, bps. Default 55, 40, 35, 50. */
  readonly maxSpreadBps: PerRegime<number>;
  /** Least depth of the smaller side, in quote currency. Default 100k, 150k, 175k, 100k. */
  readonly minDepth: PerRegime<number>;
  /** Freshness: longest wait for the event that closed the bar. Default 120 seconds. */
  readonly freshSeconds: number;
  /** Freshness: furthest that this event's price may be from the bar's close, in ATR. Default 1.2. */
  readonly freshAtrs: number;
  readonly fatigue: {
    /** A rise over 24 hours above it is tired... Default 12 percent. */
    readonly risePercent: number;
    /** ...where the RSI is above it as well... Default 70. */
    readonly rsi: number;
    /** ...unless acceleration is at least this. Default 2 percent. */
    readonly accelerationPercent: number;
  };
  /** Late fill: longest wait for the event that closed the bar. Default 30 seconds. */
  readonly lateFillSeconds: number;
}

const amount = numberBetween(0, 1e15);
const percent = numberBetween(0, 1_000);

export const GateSettings: t.Type<GateSettings> = t.type({
  evaluateFrom: numberBetween(-100, 100),
  onMissing: t.keyof({ auto: null, fail: null, skip: null }),
  minScore: numberBetween(-100, 100),
  minMovePercent: perRegime(percent),
  minVadr: perRegime(numberBetween(0, 1_000)),
  minDailyVolume: amount,
  minAdx: numberBetween(0, 100),
  minHurst: numberBetween(-1, 2),
  maxSpreadBps: perRegime(numberBetween(0, 20_000)),
  minDepth: perRegime(amount),
  freshSeconds: numberBetween(0, 86_400),
  freshAtrs: numberBetween(0, 1_000),
  fatigue: t.type({ risePercent: percent, rsi: numberBetween(0, 100), accelerationPercent: percent }),
  lateFillSeconds: numberBetween(0, 86_400),
});

/** What holds where a configuration says nothing else. */
export const defaultGateSettings: GateSettings = {
  evaluateFrom: 60,
  onMissing: 'auto',
  minScore: 75,
  minMovePercent: { trending_bull: 2.5, choppy: 3, high_vol: 4, unknown: 3 },
  minVadr: { trending_bull: 1.6, choppy: 2.0, high_vol: 2.1, unknown: 1.75 },
  minDailyVolume: 500_000,
  minAdx: 25,
  minHurst: 0.55,
  maxSpreadBps: { trending_bull: 55, choppy: 40, high_vol: 35, unknown: 50 },
  minDepth: { trending_bull: 100_000, choppy: 150_000, high_vol: 175_000, unknown: 100_000 },
  freshSeconds: 120,
  freshAtrs: 1.2,
  fatigue: { risePercent: 12, rsi: 70, accelerationPercent: 2 },
  lateFillSeconds: 30,
};
