import * as t from 'io-ts';
import { numberOrNull } from '../number-codecs.ts';

/** Relative strength index after J. Welles Wilder (1978) over closes; JSON-safe. */
export interface WilderRsi {
  readonly period: number;
  /** Changes seen, up to `period`. */
  count: number;
  previousClose: number | null;
  /** Smoothed gain; until `period` changes are in, their sum. */
  gain: number;
  /** Smoothed loss, not negative; until `period` changes are in, their sum. */
  loss: number;
}

export const WilderRsi: t.Type<WilderRsi> = t.type({
  period: t.number,
  count: t.number,
  previousClose: numberOrNull,
  gain: t.number,
  loss: t.number,
});

/** Nothing seen yet; `period` in changes from close to close. */
export function seedRsi(period: number): WilderRsi {
  return { period, count: 0, previousClose: null, gain: 0, loss: 0 };
}

/** Adds a close, in place. */
export function addToRsi(rsi: WilderRsi, close: number): void {
  const change = close - (rsi.previousClose ?? close);
  const isFirst = rsi.previousClose === null;
  rsi.previousClose = close;
  if (isFirst) return;
  const { period } = rsi;
  const gain = Math.max(change, 0);
  const loss = Math.max(-change, 0);
  if (rsi.count < period) {
    rsi.count += 1;
    rsi.gain += gain;
    rsi.loss += loss;
    if (rsi.count < period) return;
    rsi.gain /= period;
    rsi.loss /= period;
    return;
  }
  rsi.gain = (rsi.gain * (period - 1) + gain) / period;
  rsi.loss = (rsi.loss * (period - 1) + loss) / period;
}

/** 0 to 100; 100 without losses, 50 where nothing moved; null with fewer than `period` changes. */
export function rsiOf(rsi: WilderRsi): number | null {
  if (rsi.count < rsi.period) return null;
  if (rsi.loss === 0) return rsi.gain === 0 ? 50 : 100;
  return 100 - 100 / (1 + rsi.gain / rsi.loss);
}
