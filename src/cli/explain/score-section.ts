import { inWords, percentInWords, priceInWords } from '../../../pipelines/number-words.ts';
import { type MomentumPart, partsOf } from '../../../pipelines/momentum-parts.ts';
import type { MomentumScore } from '../../../pipelines/momentum-value.ts';
import { bar } from '../view/bar.ts';
import { type Line, type Span, span } from '../view/line.ts';
import { moment, percent, signedFixed } from '../view/readable.ts';
import { labelled } from '../view/regime-words.ts';
import { type Cell, type TableColumn, table } from '../view/table.ts';
import type { Explanation } from './explanation.ts';
import { paragraph, sectionTitle } from './section.ts';

const right = { align: 'right' } as const;

const columns: readonly TableColumn[] = [
  { heading: 'horizon', minWidth: 18 },
  { heading: 'return', ...right, minWidth: 9 },
  { heading: 'Z', ...right, minWidth: 6 },
  { heading: 'weight', ...right },
  { heading: 'contribution', ...right },
  { heading: '', rank: 1 },
];

const barWidth = 24;

function signInk(value: number | null): Span['ink'] {
  if (value === null || value === 0) return 'dim';
  return value > 0 ? 'good' : 'bad';
}

function partRow(part: MomentumPart, largest: number): Cell[] {
  const move = part.return === null ? 'unknown' : `${signedFixed(part.return * 100)} %`;
  return [
    span(`over ${part.horizon}`),
    span(move, signInk(part.return)),
    span(signedFixed(part.z)),
    span(percent(part.weight)),
    span(signedFixed(part.contribution, 3), signInk(part.contribution)),
    bar(Math.abs(part.contribution) / largest, barWidth, signInk(part.contribution)),
  ];
}

function totalRows(explanation: Explanation): Cell[][] {
  const { score } = explanation;
  if (score === undefined) return [];
  const speed = score.acceleration === null ? 'unknown' : `${signedFixed(score.acceleration * 100)} %`;
  return [
    [
      span('acceleration boost'),
      span(speed),
      span(''),
      span(''),
      span(signedFixed(score.boost, 3), signInk(score.boost)),
    ],
    [
      span('strength S', 'strong'),
      span(''),
      span(''),
      span(''),
      span(signedFixed(score.strength, 3), 'strong'),
    ],
  ];
}

function formulaInWords({ boost }: MomentumScore): string {
  const speed = 'the acceleration (the 4h return less that of 4 hours before)';
  const moved =
    boost === 0
      ? `not moved by ${speed}`
      : `moved ${inWords(Math.abs(boost), 3)} further from zero, because ${speed} has its sign`;
  return (
    'Z is the return in usual ranges of its span: return / (ATR % * square root of its hours). ' +
    `Each contribution is weight * Z. S is their sum, ${moved}.`
  );
}

function formulaLines({ score, scoreScale }: Explanation, width: number): Line[] {
  if (score === undefined) return [];
  const { strength } = score;
  const again = 100 * Math.tanh(strength / scoreScale);
  const formula = `score = 100 * tanh(S / ${inWords(scoreScale)}) = 100 * tanh(${inWords(strength, 3)} / ${inWords(scoreScale)}) = ${inWords(again, 1)}`;
  const differs =
    Math.abs(again - score.score) > 0.05
      ? [`The score itself is ${inWords(score.score, 1)}: it was made with another scale.`]
      : [];
  return [
    [],
    [span(formula, 'strong')],
    ...differs.map((text): Line => [span(text, 'warn')]),
    ...paragraph(formulaInWords(score), width),
  ];
}

function unknownOr(value: number | null, digits = 2): string {
  return value === null ? 'unknown' : inWords(value, digits);
}

function indicatorLines({ score }: Explanation, width: number): Line[] {
  if (score === undefined) return [];
  const facts = [
    `ATR ${priceInWords(score.atr)} (${percentInWords(score.atrPercent)} of the price)`,
    `RSI 4h ${unknownOr(score.rsi, 1)}`,
    `ADX 1h ${unknownOr(score.adx, 1)}`,
    `VADR ${unknownOr(score.vadr)}`,
    `Hurst ${unknownOr(score.hurst)}`,
    `volume of 24h ${inWords(score.dailyVolume, 0)}`,
  ];
  return paragraph(facts.join(' · '), width, 'plain');
}

/** How the score came about: each part, the sum, and the formula in words. */
export function scoreSection(explanation: Explanation, width: number): Line[] {
  const { signal, score, entry } = explanation;
  const kept = signal.kind === 'entry' ? signal.parts : [];
  const parts = score === undefined ? kept : partsOf(score.parts);
  const of = score?.time ?? signal.time;
  const title: Line = [
    span(`${inWords(signal.score, 1)} of 100`, 'strong'),
    span(`  at ${moment(of)} UTC, weights of `, 'dim'),
    labelled(signal.regime),
  ];
  if (parts.length === 0) {
    const hint = entry === undefined ? '' : ' The parts of the entry are kept: explain the entry.';
    return [sectionTitle('SCORE', title, width), ...paragraph(`The score is no longer kept.${hint}`, width)];
  }
  const largest = Math.max(1e-9, ...parts.map(part => Math.abs(part.contribution)));
  const rows = [...parts.map(part => partRow(part, largest)), ...totalRows(explanation)];
  return [
    sectionTitle('SCORE', title, width),
    ...table(columns, rows, { width }),
    ...formulaLines(explanation, width),
    ...indicatorLines(explanation, width),
  ];
}
