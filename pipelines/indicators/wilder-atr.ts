import * as t from 'io-ts';
import { numberOrNull } from '../number-codecs.ts';
import type { PlainBar } from '../bar-rollup.ts';

/** Average true range after J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978); JSON-safe. */
export interface WilderAtr {
  readonly period: number;
  /** Bars seen, up to `period`. */
  count: number;
  previousClose: number | null;
  /** The smoothed true range; until `period` bars are in, the sum of their ranges. */
  mean: number;
}

export const WilderAtr: t.Type<WilderAtr> = t.type({
  period: t.number,
  count: t.number,
  previousClose: numberOrNull,
  mean: t.number,
});

/** Nothing seen yet; `period` in bars. */
export function seedAtr(period: number): WilderAtr {
  return { period, count: 0, previousClose: null, mean: 0 };
}

/** The widest of the bar's range and its reach from the close before it; of a first bar, its range. */
export function trueRange(bar: PlainBar, previousClose: number | null): number {
  if (previousClose === null) return bar.high - bar.low;
  return Math.max(bar.high, previousClose) - Math.min(bar.low, previousClose);
}

/** Adds a closed bar, in place. The first value is the mean of `period` ranges, then Wilder's smoothing. */
export function addToAtr(atr: WilderAtr, bar: PlainBar): void {
  const range = trueRange(bar, atr.previousClose);
  atr.previousClose = bar.close;
  if (atr.count < atr.period) {
    atr.count += 1;
    // `mean` holds the plain sum until the period is full: the first mean is then one division.
    atr.mean += range;
    if (atr.count === atr.period) atr.mean /= atr.period;
    return;
  }
  atr.mean = (atr.mean * (atr.period - 1) + range) / atr.period;
}

/** In units of price; null with fewer than `period` bars, and where nothing ever moved. */
export function atrOf(atr: WilderAtr): number | null {
  return atr.count < atr.period || atr.mean === 0 ? null : atr.mean;
}
