import type { GateResult } from '../../../pipelines/gate-evaluation.ts';
import { inWords } from '../../../pipelines/number-words.ts';
import { type Line, type Span, span } from '../view/line.ts';
import { moment, plural } from '../view/readable.ts';
import { labelled } from '../view/regime-words.ts';
import { type Cell, type TableColumn, table } from '../view/table.ts';
import type { Explanation } from './explanation.ts';
import { paragraph, sectionTitle, withSentences } from './section.ts';

const columns: readonly TableColumn[] = [
  { heading: 'gate' },
  { heading: 'status' },
  { heading: 'value', align: 'right' },
  { heading: 'threshold', align: 'right' },
  { heading: 'unit' },
];

const marks: Readonly<Record<GateResult['status'], Span>> = {
  passed: span('✔ passed', 'good'),
  failed: span('✘ failed', 'bad'),
  'not-evaluated': span('· not evaluated', 'dim'),
};

function rowOf(gate: GateResult): Cell[] {
  return [
    span(gate.name),
    marks[gate.status],
    span(gate.value === null ? 'unknown' : inWords(gate.value)),
    span(inWords(gate.threshold), 'dim'),
    span(gate.unit, 'dim'),
  ];
}

function verdict({ evaluation }: Explanation, gates: readonly GateResult[]): Line {
  const passed = gates.filter(({ status }) => status === 'passed').length;
  const counts = span(
    `${passed} of ${plural(gates.length, 'gate')} passed`,
    passed === gates.length ? 'good' : 'strong',
  );
  return evaluation === undefined
    ? [counts]
    : [counts, span('  thresholds of ', 'dim'), labelled(evaluation.regime)];
}

function inputWords({ evaluation }: Explanation): string {
  if (evaluation === undefined)
    return 'The evaluation itself is no longer kept; these gates travelled in the signal.';
  const skipped = evaluation.gates.some(({ status }) => status === 'not-evaluated');
  const counted = evaluation.onMissing === 'skip' ? 'is skipped' : 'counts as failed';
  const book =
    evaluation.bookTime === null
      ? 'No order book was used.'
      : `Order book of ${moment(evaluation.bookTime)} UTC.`;
  return skipped ? `${book} A gate that the feed has no input for ${counted}.` : book;
}

/** Every gate with what it measured, asked for and concluded. An exit passes no gates. */
export function gatesSection(explanation: Explanation, width: number): Line[] {
  const { signal, evaluation } = explanation;
  const gates = evaluation?.gates ?? (signal.kind === 'entry' ? signal.gates : []);
  if (gates.length === 0) return [];
  const [headings = [], ...rows] = table(columns, gates.map(rowOf), { width });
  return [
    sectionTitle('GATES', verdict(explanation, gates), width),
    headings,
    ...withSentences(
      rows,
      gates.map(gate => gate.reason),
      width,
    ),
    ...paragraph(inputWords(explanation), width),
  ];
}
