import type { Regime } from '../../../pipelines/regime-value.ts';
import { type Block, fixedBlock } from './block.ts';
import { type Line, clipLine, joinFitting, lineWidth, span } from './line.ts';
import type { LiveState } from './live-state.ts';
import { percent, shortMoment } from './readable.ts';
import { labelled, measured, measures } from './regime-words.ts';

function sharesLine(regime: Regime, width: number): Line {
  const lineOf = (brief: boolean): Line =>
    measures.flatMap(measure => [span('   '), ...measured(regime, measure, brief)]);
  const whole = lineOf(false);
  return lineWidth(whole) <= width ? whole : clipLine(lineOf(true), width);
}

/** The state of the whole market and what it was concluded from. */
export function regimeBlock({ regime }: Pick<LiveState, 'regime'>, width: number): Block {
  const name = [span('REGIME', 'strong')];
  if (regime === undefined) {
    return fixedBlock([joinFitting([name, [span('not known before the first 4h boundary', 'dim')]], width)]);
  }
  const { counts } = regime;
  const facts = [
    name,
    [labelled(regime.label)],
    [span('confidence ', 'dim'), span(percent(regime.confidence))],
    [span(`since ${shortMoment(regime.time)}`, 'dim')],
    [span(`${counts.seen} symbols seen, a vote needs ${counts.needed}`, 'dim')],
  ];
  return fixedBlock([joinFitting(facts, width), sharesLine(regime, width)], 1);
}
