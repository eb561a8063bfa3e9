import * as t from 'io-ts';
import { numberOrNull } from '../number-codecs.ts';

/** How a Hurst exponent is taken. */
export interface HurstSettings {
  /** Closes looked at. Default 128. */
  readonly bars: number;
  /** Shortest lag, in bars. Default 2. */
  readonly lagFrom: number;
  /** Longest lag, in bars. Default 20. */
  readonly lagTo: number;
}

/** The logs of the last closes and the exponent over them; JSON-safe. */
export interface Hurst {
  /** Oldest first. */
  readonly logs: number[];
  value: number | null;
}

export const Hurst: t.Type<Hurst> = t.type({ logs: t.array(t.number), value: numberOrNull });

/** Nothing seen yet. */
export function seedHurst(): Hurst {
  return { logs: [], value: null };
}

/** Population standard deviation of `series[i + lag] - series[i]`. */
function lagDeviation(series: readonly number[], lag: number): number {
  const count = series.length - lag;
  const difference = (i: number): number => (series[i + lag] ?? 0) - (series[i] ?? 0);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += difference(i);
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (difference(i) - mean) ** 2;
  return Math.sqrt(squares / count);
}

/** Least-squares slope of y on x. */
function slope(x: readonly number[], y: readonly number[]): number {
  const meanX = x.reduce((sum, v) => sum + v, 0) / x.length;
  const meanY = y.reduce((sum, v) => sum + v, 0) / y.length;
  let over = 0;
  let under = 0;
  x.forEach((v, i) => {
    over += (v - meanX) * ((y[i] ?? 0) - meanY);
    under += (v - meanX) ** 2;
  });
  return over / under;
}

/**
 * The slope of log deviation on log lag: 0.5 for a random walk, above it a trend that persists, below it
 * one that turns back. Null where a lag shows no deviation at all.
 */
export function hurstExponent(logs: readonly number[], settings: HurstSettings): number | null {
  const x: number[] = [];
  const y: number[] = [];
  for (let lag = settings.lagFrom; lag <= settings.lagTo; lag++) {
    const deviation = lagDeviation(logs, lag);
    if (!(deviation > 0)) return null;
    x.push(Math.log(lag));
    y.push(Math.log(deviation));
  }
  return slope(x, y);
}

/** Adds a close, in place; `value` stays null with fewer than `bars` closes. */
export function addToHurst(hurst: Hurst, close: number, settings: HurstSettings): void {
  hurst.logs.push(Math.log(close));
  if (hurst.logs.length > settings.bars) hurst.logs.shift();
  hurst.value = hurst.logs.length < settings.bars ? null : hurstExponent(hurst.logs, settings);
}
