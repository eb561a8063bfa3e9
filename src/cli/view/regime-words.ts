import type { RegimeLabel } from '../../../pipelines/regime-label.ts';
import type { Regime, RegimeVote } from '../../../pipelines/regime-value.ts';
import { type Ink, type Line, type Span, span } from './line.ts';
import { percent } from './readable.ts';

/** The measures of a regime, in the order in which they are shown. */
export const measures = ['volatility', 'breadth', 'thrust'] as const;

/** What stands for a measure. */
export type Measure = (typeof measures)[number];

const inks: Readonly<Record<RegimeLabel, Ink>> = {
  trending_bull: 'good',
  choppy: 'warn',
  high_vol: 'bad',
  unknown: 'dim',
};

/** The label in its ink. */
export function labelled(label: RegimeLabel): Span {
  return span(label, inks[label]);
}

/** What a measure voted, in its ink. */
export function voted(vote: RegimeVote): Span {
  return vote === 'abstain' || vote === 'too few' ? span(vote, 'dim') : labelled(vote);
}

/** One measure: `breadth 72 % ▸ trending_bull`, or in few cells `breadth 72 % ▸ bull`. */
export function measured({ shares, votes }: Regime, measure: Measure, brief = false): Line {
  const vote = voted(votes[measure]);
  const word = brief ? span(vote.text.replace('trending_', ''), vote.ink) : vote;
  return [span(`${measure} `, 'dim'), span(percent(shares[measure])), span(' ▸ ', 'dim'), word];
}
