import { type Line, span } from '../view/line.ts';
import { moment, percent } from '../view/readable.ts';
import { labelled, measures, voted } from '../view/regime-words.ts';
import { type TableColumn, table } from '../view/table.ts';
import type { Explanation } from './explanation.ts';
import { paragraph, sectionTitle } from './section.ts';

const columns: readonly TableColumn[] = [
  { heading: 'measure' },
  { heading: 'share', align: 'right' },
  { heading: 'vote' },
  { heading: 'symbols with a value', align: 'right', rank: 1 },
];

/** The regime whose weights and thresholds were used, and the votes behind it. */
export function regimeSection({ regime, signal, score }: Explanation, width: number): Line[] {
  if (regime === undefined) {
    const before = score?.regimeTime === null;
    const why = before ? 'No 4h boundary had been classified yet.' : 'Its message is no longer kept.';
    return [sectionTitle('REGIME', [labelled(signal.regime)], width), ...paragraph(why, width)];
  }
  const { counts, shares, votes } = regime;
  const rows = measures.map(measure => [
    span(measure),
    span(percent(shares[measure], 1)),
    voted(votes[measure]),
    span(`${counts[measure]} of ${counts.seen}`, 'dim'),
  ]);
  const title = [
    labelled(regime.label),
    span(`  confidence ${percent(regime.confidence)}`, 'strong'),
    span(`  of ${regime.universe}, since ${moment(regime.time)} UTC`, 'dim'),
  ];
  const words = `${counts.seen} symbols were seen; a vote needs a value from ${counts.needed}. Most votes win, and of equal ones the more careful.`;
  return [
    sectionTitle('REGIME', title, width),
    ...table(columns, rows, { width }),
    ...paragraph(words, width),
  ];
}
