import * as t from 'io-ts';
import { numberOrNull } from './number-codecs.ts';
import { RegimeLabel } from './regime-label.ts';

/** What one measure says: a label, nothing, or that too few symbols had a value. */
export type RegimeVote = RegimeLabel | 'abstain' | 'too few';

export const RegimeVote: t.Type<RegimeVote> = t.union([
  RegimeLabel,
  t.keyof({ abstain: null, 'too few': null }),
]);

/** One value for each measure of the market. */
export interface PerMeasure<A> {
  readonly volatility: A;
  readonly breadth: A;
  readonly thrust: A;
}

/** The regime of a universe at a 4h boundary. */
export interface Regime {
  readonly universe: string;
  /** Event time, ms: the boundary. */
  readonly time: number;
  readonly label: RegimeLabel;
  /** Votes for the label as a share of the votes cast; 0 without votes. */
  readonly confidence: number;
  /**
   * volatility: median weekly deviation, 0.25 is 25 %; breadth and thrust: share of symbols, 0 to 1. Null
   * where no symbol had a value.
   */
  readonly shares: PerMeasure<number | null>;
  readonly votes: PerMeasure<RegimeVote>;
  /** `seen`: symbols seen; `needed`: how many a vote needs; each measure: how many had a value. */
  readonly counts: PerMeasure<number> & { readonly seen: number; readonly needed: number };
}

function perMeasure<A>(value: t.Type<A>): t.Type<PerMeasure<A>> {
  return t.type({ volatility: value, breadth: value, thrust: value });
}

export const Regime: t.Type<Regime> = t.type({
  universe: t.string,
  time: t.number,
  label: RegimeLabel,
  confidence: t.number,
  shares: perMeasure(numberOrNull),
  votes: perMeasure(RegimeVote),
  counts: t.intersection([perMeasure(t.number), t.type({ seen: t.number, needed: t.number })]),
});
