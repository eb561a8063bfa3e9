import { deadLettersText } from './losses-text.ts';
import { type Line, type Span, clipLine, span, textOf } from './line.ts';
import { type LiveState, signalTotals } from './live-state.ts';
import { compact, counted, lengthOfTime, moment, percent, plural, shortId } from './readable.ts';
import { type TableColumn, table } from './table.ts';

/** How the summary is written. */
export interface SummaryOptions {
  /** Default 100. */
  readonly columns?: number;
  /** Default false. */
  readonly colour?: boolean;
}

const mostRows = 20;
const right = { align: 'right' } as const;

const signalColumns: readonly TableColumn[] = [
  { heading: 'symbol' },
  { heading: 'venue' },
  { heading: 'entries', ...right },
  { heading: 'exits', ...right },
];

const pipelineColumns: readonly TableColumn[] = [
  { heading: 'pipeline' },
  { heading: 'taken', ...right },
  { heading: 'published', ...right },
  { heading: 'left out', ...right },
  { heading: 'dead letters', ...right },
  { heading: 'restarts', ...right },
  { heading: 'not finished', ...right },
];

function runLines({ feed, elapsedMs, title, phase }: LiveState): Line[] {
  const perSecond = elapsedMs > 0 ? (feed.items * 1_000) / elapsedMs : undefined;
  return [
    [span(title, 'strong'), span(` ran for ${lengthOfTime(elapsedMs)}`)],
    [
      span(
        `${plural(feed.items, 'item')} of ${feed.name}, ${compact(perSecond)} a second, up to ${moment(feed.eventTime)} UTC`,
      ),
    ],
    ...(phase === 'stopped' ? [[span(`Stopped at ${percent(feed.progress, 1)} of the feed.`, 'warn')]] : []),
  ];
}

function pipelineLines({ pipelines }: LiveState, width: number): Line[] {
  if (pipelines.length === 0) return [];
  const rows = pipelines.map(({ status }): Span[] => [
    span(status.name),
    span(counted(status.consumed)),
    // Beside its outputs it publishes its dead letters, which have a column of their own.
    span(counted(status.published - status.deadLettered)),
    span(counted(status.leftOut)),
    span(counted(status.deadLettered), status.deadLettered > 0 ? 'bad' : 'plain'),
    span(counted(status.restarts), status.restarts > 0 ? 'warn' : 'plain'),
    span(counted(status.lag), status.lag > 0 ? 'warn' : 'plain'),
  ]);
  return [[], ...table(pipelineColumns, rows, { width })];
}

function more(hidden: number, what: string): Line[] {
  return hidden > 0 ? [[span(`and ${counted(hidden)} more ${what}`, 'dim')]] : [];
}

function signalLines(state: LiveState, width: number): Line[] {
  const { entries, exits } = signalTotals(state);
  const title = `Signals: ${plural(entries, 'entry', 'entries')}, ${plural(exits, 'exit')}`;
  const rows = state.tallies
    .toSorted((a, b) => b.entries + b.exits - (a.entries + a.exits))
    .slice(0, mostRows)
    .map(({ symbol, venue, entries: begun, exits: ended }) => [
      span(symbol),
      span(venue),
      span(counted(begun)),
      span(counted(ended)),
    ]);
  const body = rows.length === 0 ? [] : table(signalColumns, rows, { width });
  return [[], [span(title, 'strong')], ...body, ...more(state.tallies.length - mostRows, 'symbols')];
}

function lostLines({ counts, deadLetters }: LiveState): Line[] {
  const facts = [
    deadLettersText(counts),
    `${counted(counts.malformed)} malformed`,
    `${counted(counts.late)} late`,
  ];
  const reasons = deadLetters
    .toSorted((a, b) => b.count - a.count)
    .slice(0, mostRows)
    .map(({ reason, count }): Line => [span(`${counted(count).padStart(8)}  ${reason}`)]);
  return [
    [],
    [span(facts.join('; '), 'strong')],
    ...reasons,
    ...more(deadLetters.length - mostRows, 'reasons'),
  ];
}

function whereLines({ directory, explainCommand, signals, problems }: LiveState): Line[] {
  const [newest] = signals;
  const id = newest ? shortId(newest.id) : 'ID';
  return [
    ...problems.map((problem): Line => [span(`Problem: ${problem}`, 'bad')]),
    [],
    [
      span(
        directory === undefined
          ? 'Data was kept in memory only and is gone.'
          : `Data is kept in ${directory}`,
      ),
    ],
    ...(directory === undefined ? [] : [[span('Why a signal: '), span(`${explainCommand} ${id}`, 'accent')]]),
  ];
}

/** What a run did, for the end of it: time, items, rates, signals, losses, where the data is, what to ask next. */
export function renderSummary(
  state: LiveState,
  { columns = 100, colour = false }: SummaryOptions = {},
): string[] {
  const lines = [
    ...runLines(state),
    ...pipelineLines(state, columns),
    ...signalLines(state, columns),
    ...lostLines(state),
  ];
  // What is wrong and what to type next is of use only whole: a terminal breaks it where it must.
  const whole = whereLines(state).map(line => textOf(line, colour));
  return [...lines.map(line => textOf(clipLine(line, columns), colour)), ...whole];
}
