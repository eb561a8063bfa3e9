import type { Line } from './line.ts';

/** A part of the screen: it says how many rows it would like and fills those that it gets. */
export interface Block {
  /** Rows without which it is not worth showing; 0 where it has nothing to say. */
  readonly least: number;
  /** Rows in which it shows everything. */
  readonly most: number;
  /** At most `rows` lines, each within the width it was made for. */
  render(rows: number): readonly Line[];
}

/** A block of lines that are always the same; what does not fit is cut off at the end. */
export function fixedBlock(lines: readonly Line[], least: number = lines.length): Block {
  return { least: Math.min(least, lines.length), most: lines.length, render: rows => lines.slice(0, rows) };
}
