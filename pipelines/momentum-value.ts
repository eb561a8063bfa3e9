import * as t from 'io-ts';
import { ClosedBy } from './market-bar.ts';
import { MomentumParts } from './momentum-parts.ts';
import { numberOrNull } from './number-codecs.ts';
import { RegimeLabel } from './regime-label.ts';

/** How strongly a symbol moves at the end of one 1m bar. Null stands for a value that is not known. */
export interface MomentumScore {
  readonly venue: string;
  readonly symbol: string;
  /** Event time, ms: the bar's end. */
  readonly time: number;
  /** P(t), the bar's close. */
  readonly price: number;
  /** -100 to 100. */
  readonly score: number;
  /** The regime whose weights were used. */
  readonly regime: RegimeLabel;
  /** The 4h boundary of that regime, ms; null where none was known. */
  readonly regimeTime: number | null;
  /** What each horizon adds. */
  readonly parts: MomentumParts;
  /** S: the sum of contributions, boost included. */
  readonly strength: number;
  /** R_4h now less R_4h four hours ago. */
  readonly acceleration: number | null;
  /** What acceleration added to the sum. */
  readonly boost: number;
  /** Average true range of 1h bars, in units of price. */
  readonly atr: number;
  /** `atr / price`, a share: 0.01 is 1 %. */
  readonly atrPercent: number;
  /** Of 4h closes, 0 to 100. */
  readonly rsi: number | null;
  /** Of 1h bars, 0 to 100. */
  readonly adx: number | null;
  /** Activity of the last 1h bar in means of those before it. */
  readonly vadr: number | null;
  /** Sum of close times volume over 24 hours, in quote currency. */
  readonly dailyVolume: number;
  /** Of 1h closes; above 0.5 a trend that persists. */
  readonly hurst: number | null;
  /** The bar's own. */
  readonly high: number;
  /** The bar's own. */
  readonly low: number;
  /** The event that closed the bar. */
  readonly closedBy: ClosedBy;
}

export const MomentumScore: t.Type<MomentumScore> = t.type({
  venue: t.string,
  symbol: t.string,
  time: t.number,
  price: t.number,
  score: t.number,
  regime: RegimeLabel,
  regimeTime: numberOrNull,
  parts: MomentumParts,
  strength: t.number,
  acceleration: numberOrNull,
  boost: t.number,
  atr: t.number,
  atrPercent: t.number,
  rsi: numberOrNull,
  adx: numberOrNull,
  vadr: numberOrNull,
  dailyVolume: t.number,
  hurst: numberOrNull,
  high: t.number,
  low: t.number,
  closedBy: ClosedBy,
});
