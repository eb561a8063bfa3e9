import type { Terminal } from '../../../src/cli/terminal.ts';
import { TerminalGrid } from '../view/terminal-grid.ts';

/** A terminal whose user is the test. */
export interface WatchedTerminal extends Terminal {
  /** What was written to standard output, each time. */
  readonly lines: string[];
  /** What was written to standard error, each time. */
  readonly errors: string[];
  /** What was drawn, and a size to change. */
  readonly grid: TerminalGrid;
  /** The screen as its user sees it now. */
  readonly screen: () => string;
}

export function watchedTerminal({
  isInteractive = true,
  colour = false,
  columns = 120,
  rows = 40,
} = {}): WatchedTerminal {
  const [lines, errors]: [string[], string[]] = [[], []];
  const grid = new TerminalGrid();
  Object.assign(grid, { columns, rows });
  return {
    lines,
    errors,
    grid,
    screen: () => grid.shown.join('\n'),
    out: text => void lines.push(text),
    err: text => void errors.push(text),
    stream: {
      write: text => grid.write(text),
      get columns() {
        return grid.columns ?? 0;
      },
      get rows() {
        return grid.rows ?? 0;
      },
    },
    isInteractive,
    colour,
    confirm: () => Promise.resolve(true),
  };
}
