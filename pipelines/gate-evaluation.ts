import * as t from 'io-ts';
import { numberOrNull } from './number-codecs.ts';
import { RegimeLabel } from './regime-label.ts';

const names = {
  score: null,
  movement: null,
  'volume range': null,
  'daily volume': null,
  'trend quality': null,
  spread: null,
  depth: null,
  freshness: null,
  fatigue: null,
  'late fill': null,
};

/** Which gate. */
export type GateName = keyof typeof names;

export const GateName: t.Type<GateName> = t.keyof(names);

/** What one gate found. */
export interface GateResult {
  readonly name: GateName;
  /** `not-evaluated`: the feed does not carry the input at all. */
  readonly status: 'passed' | 'failed' | 'not-evaluated';
  /** What was measured, in `unit`; null where it is not known. */
  readonly value: number | null;
  readonly threshold: number;
  readonly unit: string;
  /** In words. */
  readonly reason: string;
}

export const GateResult: t.Type<GateResult> = t.type({
  name: GateName,
  status: t.keyof({ passed: null, failed: null, 'not-evaluated': null }),
  value: numberOrNull,
  threshold: t.number,
  unit: t.string,
  reason: t.string,
});

/** What all gates found about one score. */
export interface GateEvaluation {
  readonly venue: string;
  readonly symbol: string;
  /** Event time, ms: the score's. */
  readonly time: number;
  readonly score: number;
  /** The regime whose thresholds were used. */
  readonly regime: RegimeLabel;
  /** Whether every gate passed, or was not evaluated where `onMissing` is `skip`. */
  readonly passed: boolean;
  /** What a gate that was not evaluated counted as. */
  readonly onMissing: 'fail' | 'skip';
  /** Event time, ms, of the book behind spread and depth; null without one. */
  readonly bookTime: number | null;
  /** All ten, in a fixed order. */
  readonly gates: readonly GateResult[];
}

export const GateEvaluation: t.Type<GateEvaluation> = t.type({
  venue: t.string,
  symbol: t.string,
  time: t.number,
  score: t.number,
  regime: RegimeLabel,
  passed: t.boolean,
  onMissing: t.keyof({ fail: null, skip: null }),
  bookTime: numberOrNull,
  gates: t.readonlyArray(GateResult),
});
