import { type Ink, type Line, span } from './line.ts';

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` cells, filled to `share` (0 to 1) in eighths of a cell. */
export function bar(share: number, width: number, ink: Ink = 'accent'): Line {
  const filled = Math.round(Math.min(1, Math.max(0, share || 0)) * width * 8);
  const text = '█'.repeat(Math.floor(filled / 8)) + (eighths[filled % 8] ?? '');
  return [span(text, ink), span('·'.repeat(Math.max(0, width - text.length)), 'dim')];
}
