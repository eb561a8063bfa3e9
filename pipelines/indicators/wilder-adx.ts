import * as t from 'io-ts';
import type { PlainBar } from '../bar-rollup.ts';

/**
 * Average directional index after J. Welles Wilder (1978); JSON-safe. The true range divides both
 * directional indicators and so cancels out of DX; where it is 0 so are both movements.
 */
export interface WilderAdx {
  readonly period: number;
  previous: { high: number; low: number } | null;
  /** Movements seen, up to `period`. */
  moves: number;
  /** Smoothed movement up, as Wilder's running sum. */
  up: number;
  /** Smoothed movement down, as Wilder's running sum. */
  down: number;
  /** DX values seen, up to `period`. */
  count: number;
  /** The ADX; until `period` DX values are in, their sum. */
  mean: number;
}

export const WilderAdx: t.Type<WilderAdx> = t.type({
  period: t.number,
  previous: t.union([t.type({ high: t.number, low: t.number }), t.null]),
  moves: t.number,
  up: t.number,
  down: t.number,
  count: t.number,
  mean: t.number,
});

/** Nothing seen yet; `period` in bars. */
export function seedAdx(period: number): WilderAdx {
  return { period, previous: null, moves: 0, up: 0, down: 0, count: 0, mean: 0 };
}

function addDirection(adx: WilderAdx): void {
  const sum = adx.up + adx.down;
  const dx = sum === 0 ? 0 : (100 * Math.abs(adx.up - adx.down)) / sum;
  if (adx.count === adx.period) {
    adx.mean = (adx.mean * (adx.period - 1) + dx) / adx.period;
    return;
  }
  adx.count += 1;
  adx.mean += dx;
  if (adx.count === adx.period) adx.mean /= adx.period;
}

function addMove(adx: WilderAdx, up: number, down: number): void {
  const rise = up > down && up > 0 ? up : 0;
  const fall = down > up && down > 0 ? down : 0;
  const kept = adx.moves < adx.period ? 1 : 1 - 1 / adx.period;
  adx.up = adx.up * kept + rise;
  adx.down = adx.down * kept + fall;
  if (adx.moves < adx.period) adx.moves += 1;
  if (adx.moves === adx.period) addDirection(adx);
}

/** Adds a closed bar, in place; the first one only serves to compare the second with. */
export function addToAdx(adx: WilderAdx, bar: PlainBar): void {
  if (adx.previous !== null) addMove(adx, bar.high - adx.previous.high, adx.previous.low - bar.low);
  adx.previous = { high: bar.high, low: bar.low };
}

/** 0 to 100; null until `2 * period` bars are in. */
export function adxOf(adx: WilderAdx): number | null {
  return adx.count < adx.period ? null : adx.mean;
}
