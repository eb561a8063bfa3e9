import type { GateName, GateResult } from './gate-evaluation.ts';
import { inWords } from './number-words.ts';

/** What a gate compares, and how it is spoken of. */
export interface Bound {
  readonly name: GateName;
  /** What the value is, in words. */
  readonly what: string;
  /** Null: not known, which fails. */
  readonly value: number | null;
  readonly threshold: number;
  readonly unit: string;
}

function resultOf(bound: Bound, holds: boolean, yes: string, no: string): GateResult {
  const { name, what, value, threshold, unit } = bound;
  const limit = `${inWords(threshold)} ${unit}`.trimEnd();
  if (value === null) {
    const reason = `${what} is not known yet; ${yes} ${limit} is asked for`;
    return { name, status: 'failed', value, threshold, unit, reason };
  }
  const reason = `${what} ${`${inWords(value)} ${unit}`.trimEnd()} is ${holds ? yes : no} ${limit}`;
  return { name, status: holds ? 'passed' : 'failed', value, threshold, unit, reason };
}

/** Passes where the value is at least the threshold. */
export function atLeast(bound: Bound): GateResult {
  return resultOf(bound, bound.value !== null && bound.value >= bound.threshold, 'at least', 'below');
}

/** Passes where the value is at most the threshold. */
export function atMost(bound: Bound): GateResult {
  return resultOf(bound, bound.value !== null && bound.value <= bound.threshold, 'at most', 'above');
}

/** The result of a gate whose input the feed does not carry. */
export function notEvaluated(bound: Omit<Bound, 'value'>): GateResult {
  const { name, what, threshold, unit } = bound;
  const reason = `${what} is not carried by this feed`;
  return { name, status: 'not-evaluated', value: null, threshold, unit, reason };
}
