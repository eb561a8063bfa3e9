import type { LetterGroup } from '../../dlq/letter-group.ts';
import { clipLine, lineWidth, span, textOf } from '../view/line.ts';
import { counted, moment, shortId } from '../view/readable.ts';
import { type Cell, type TableColumn, table } from '../view/table.ts';
import type { LetterSummary } from './letter-answers.ts';

export interface TableStyle {
  readonly columns: number;
  readonly colour: boolean;
}

const letterColumns: readonly TableColumn[] = [
  { heading: 'letter' },
  { heading: 'group', rank: 2 },
  { heading: 'failed' },
  { heading: 'pipeline' },
  { heading: 'stage', rank: 3 },
  { heading: 'key', rank: 1 },
  { heading: 'nr', align: 'right', rank: 4 },
  { heading: 'reason' },
];

/** Letters as a table; the reason takes what room there is. */
export function letterTable(letters: readonly LetterSummary[], style: TableStyle): string {
  const rows = letters.map((letter): readonly Cell[] => [
    span(shortId(letter.id), 'strong'),
    span(letter.group, 'dim'),
    span(moment(letter.failedAt)),
    span(letter.pipeline),
    span(letter.stage),
    span(letter.key ?? '-'),
    span(String(letter.count)),
    span(letter.reason),
  ]);
  return fitted(letterColumns, rows, style);
}

const groupColumns: readonly TableColumn[] = [
  { heading: 'group' },
  { heading: 'letters', align: 'right' },
  { heading: 'pipeline' },
  { heading: 'stage', rank: 1 },
  { heading: 'failure', rank: 2 },
  { heading: 'first', rank: 4 },
  { heading: 'last', rank: 3 },
  { heading: 'example', rank: 5 },
  { heading: 'reason' },
];

/** Kinds of letters as a table. */
export function groupTable(groups: readonly LetterGroup[], style: TableStyle): string {
  const rows = groups.map((group): readonly Cell[] => [
    span(group.id, 'strong'),
    span(counted(group.count)),
    span(group.pipeline),
    span(group.stage),
    span(group.failure),
    span(moment(group.firstAt)),
    span(moment(group.lastAt)),
    span(shortId(group.example)),
    span(group.reason),
  ]);
  return fitted(groupColumns, rows, style);
}

/** Cells that a reason has at least before other columns give way to it. */
const reasonWidth = 40;
const gap = 2;

/** The last column takes what room is left; columns of high rank go before it has too little. */
function fitted(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  { columns: width, colour }: TableStyle,
): string {
  const rankOf = (i: number): number => columns[i]?.rank ?? 0;
  const last = columns.length - 1;
  let before = columns.map((_, i) => i).slice(0, -1);
  const room = (): number => width - widthOf(columns, rows, before) - gap;
  while (room() < reasonWidth && before.some(i => rankOf(i) > 0)) {
    const worst = before.reduce((a, b) => (rankOf(b) > rankOf(a) ? b : a));
    before = before.filter(i => i !== worst);
  }
  const clipped = clippedTo(room());
  const shown = rows.map(row => [...cellsOf(row, before), ...cellsOf(row, [last]).map(clipped)]);
  const lines = table(columnsOf(columns, [...before, last]), shown, { width, gap });
  return lines.map(line => textOf(line, colour)).join('\n');
}

/** Cells that some columns take side by side. */
function widthOf(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  kept: readonly number[],
): number {
  const lines = table(
    columnsOf(columns, kept),
    rows.map(row => cellsOf(row, kept)),
    { width: Infinity, gap },
  );
  return lines.reduce((widest, line) => Math.max(widest, lineWidth(line)), 0);
}

function cellsOf(row: readonly Cell[], kept: readonly number[]): readonly Cell[] {
  return kept.flatMap((i): readonly Cell[] => {
    const cell = row[i];
    return cell === undefined ? [] : [cell];
  });
}

function columnsOf(columns: readonly TableColumn[], kept: readonly number[]): readonly TableColumn[] {
  return kept.flatMap(i => columns[i] ?? []).map(column => ({ ...column, rank: 0 }));
}

function clippedTo(width: number): (cell: Cell) => Cell {
  return cell => clipLine('text' in cell ? [cell] : cell, Math.max(1, width));
}
