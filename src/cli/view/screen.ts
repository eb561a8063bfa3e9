import { footerBlock, problemsBlock, problemsOf } from './footer-block.ts';
import { headerBlock } from './header-block.ts';
import { type Placed, stack } from './layout.ts';
import { clipLine, span, textOf } from './line.ts';
import type { LiveState } from './live-state.ts';
import { pipelinesBlock } from './pipelines-block.ts';
import { regimeBlock } from './regime-block.ts';
import { signalsBlock } from './signals-block.ts';
import { warmUpBlock } from './warm-up-block.ts';

/** The size of the terminal, in cells, and whether it shows colours. */
export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

const margin = 1;

/** Blocks, made for a width, as lines of text within the terminal, a margin at each side. */
export function drawn(
  { columns, rows, colour }: ScreenOptions,
  placedIn: (width: number) => readonly Placed[],
): string[] {
  const placed = placedIn(Math.max(0, columns - 2 * margin));
  const indented = stack(placed, Math.max(0, rows)).map(line => [span(' '.repeat(margin)), ...line]);
  return indented.map(line => textOf(clipLine(line, Math.max(0, columns)), colour));
}

/**
 * The live view as lines of text, top to bottom: never more than `rows`, none wider than `columns`. Where room
 * is scarce, older signals, gaps, warm-up bars and table columns go first; without colour no line holds an
 * escape sequence.
 */
export function renderScreen(state: LiveState, options: ScreenOptions): string[] {
  return drawn(options, width => [
    { rank: 1, block: headerBlock(state, width) },
    { rank: 3, block: problemsBlock(problemsOf(state), width) },
    { rank: 4, block: pipelinesBlock(state, width) },
    { rank: 7, block: warmUpBlock(state, width) },
    { rank: 6, block: regimeBlock(state, width) },
    { rank: 5, block: signalsBlock(state, width), takesRest: true },
    { rank: 2, block: footerBlock(state, width) },
  ]);
}
