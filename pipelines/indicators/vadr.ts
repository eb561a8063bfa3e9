import * as t from 'io-ts';
import type { PlainBar } from '../bar-rollup.ts';

/** Volume-adjusted range: how active the last bar was against those before it; JSON-safe. */
export interface Vadr {
  /** How many bars the last one is compared with. */
  readonly period: number;
  /** `(high - low) * volume` of the last `period + 1` bars, oldest first. */
  readonly activity: number[];
}

export const Vadr: t.Type<Vadr> = t.type({ period: t.number, activity: t.array(t.number) });

/** Nothing seen yet. */
export function seedVadr(period: number): Vadr {
  return { period, activity: [] };
}

/** Adds a closed bar, in place. */
export function addToVadr(vadr: Vadr, bar: PlainBar): void {
  vadr.activity.push((bar.high - bar.low) * bar.volume);
  if (vadr.activity.length > vadr.period + 1) vadr.activity.shift();
}

/** The last activity in means of the `period` before it; null ("frozen") with fewer, or a mean of 0. */
export function vadrOf(vadr: Vadr): number | null {
  const { activity, period } = vadr;
  if (activity.length <= period) return null;
  let sum = 0;
  for (let i = 0; i < period; i++) sum += activity[i] ?? 0;
  return sum === 0 ? null : (activity[period] ?? 0) / (sum / period);
}
