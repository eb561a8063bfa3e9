import { type Line, span } from './line.ts';
import { plural } from './readable.ts';

/** A part of the screen: it says how many rows it would like and fills those that it gets. */
export interface Block {
  /** Rows without which it is not worth showing; 0 where it has nothing to say. */
  readonly least: number;
  /** Rows in which it shows everything. */
  readonly most: number;
  /** At most `rows` lines, each within the width it was made for. */
  render(rows: number): readonly Line[];
}

/** At most `rows` lines of a table, the last of which says how many more there are. */
export function cutTable(lines: readonly Line[], rows: number, what: string): readonly Line[] {
  if (lines.length <= rows || rows < 3) return lines.slice(0, rows);
  const hidden = lines.length - rows + 1;
  return [...lines.slice(0, rows - 1), [span(`  and ${plural(hidden, `more ${what}`)}`, 'dim')]];
}

/** A block of lines that are always the same; what does not fit is cut off at the end. */
export function fixedBlock(lines: readonly Line[], least: number = lines.length): Block {
  return { least: Math.min(least, lines.length), most: lines.length, render: rows => lines.slice(0, rows) };
}
