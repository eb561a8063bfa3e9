import { displayWidth } from './display-width.ts';
import { type Line, type Span, clipLine, lineWidth, padLine, span } from './line.ts';

/** One column of a table. */
export interface TableColumn {
  readonly heading: string;
  /** Default `left`. */
  readonly align?: 'left' | 'right';
  /** Cells that it takes at least, so that a table that is drawn again does not jump. Default: what it holds. */
  readonly minWidth?: number;
  /** Where there is no room, the column of the highest rank goes first; rank 0 (the default) stays. */
  readonly rank?: number;
}

export interface TableOptions {
  /** Cells to stay within. */
  readonly width: number;
  /** Cells between columns; default 2. */
  readonly gap?: number;
  /** Leave the headings out; default false. */
  readonly bare?: boolean;
}

/** One cell. */
export type Cell = Span | Line;

function lineOf(cell: Cell | undefined): Line {
  if (cell === undefined) return [];
  return 'text' in cell ? [cell] : cell;
}

function widthsOf(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  bare: boolean,
): number[] {
  return columns.map(({ heading, minWidth = 0 }, index) => {
    const cells = rows.map(row => lineWidth(lineOf(row[index])));
    return Math.max(minWidth, bare ? 0 : displayWidth(heading), ...cells);
  });
}

function totalOf(shown: readonly number[], widths: readonly number[], gap: number): number {
  return shown.reduce((sum, index) => sum + (widths[index] ?? 0), 0) + gap * Math.max(0, shown.length - 1);
}

/** Indexes of the columns that fit, dropping the highest rank first, of equal ranks the rightmost. */
function fittingColumns(
  columns: readonly TableColumn[],
  widths: readonly number[],
  width: number,
  gap: number,
): number[] {
  let shown = columns.map((_, index) => index);
  const rankOf = (index: number): number => columns[index]?.rank ?? 0;
  while (totalOf(shown, widths, gap) > width) {
    const worst = shown.reduce((a, b) => (rankOf(b) >= rankOf(a) ? b : a), shown[0] ?? 0);
    if (rankOf(worst) === 0) break;
    shown = shown.filter(index => index !== worst);
  }
  return shown;
}

/** Whether a table shows all its columns within this width. */
export function fitsWhole(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  { width, gap = 2, bare = false }: TableOptions,
): boolean {
  const widths = widthsOf(columns, rows, bare);
  return (
    totalOf(
      columns.map((_, index) => index),
      widths,
      gap,
    ) <= width
  );
}

/** A table: its headings, then a line for each row, none wider than asked. */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): Line[] {
  const { width, gap = 2, bare = false } = options;
  const widths = widthsOf(columns, rows, bare);
  const shown = fittingColumns(columns, widths, width, gap);
  const lineFor = (cells: readonly Cell[]): Line =>
    clipLine(
      shown.flatMap((index, place) => [
        ...(place === 0 ? [] : [span(' '.repeat(gap))]),
        ...padLine(lineOf(cells[index]), widths[index] ?? 0, columns[index]?.align),
      ]),
      width,
    );
  const headings = columns.map(({ heading }) => span(heading, 'dim'));
  return bare ? rows.map(lineFor) : [lineFor(headings), ...rows.map(lineFor)];
}
