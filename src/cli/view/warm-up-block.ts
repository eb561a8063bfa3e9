import { bar } from './bar.ts';
import type { Block } from './block.ts';
import { displayWidth } from './display-width.ts';
import { type Line, clipLine, joinFitting, lineWidth, padLine, span } from './line.ts';
import { type LiveState, type WarmUpView, isWarm } from './live-state.ts';
import { percent, plural } from './readable.ts';

const gap = 3;
const barWidth = 8;
const shareWidth = 6;

/** Names each symbol once: with its venue where there are several. */
function namesOf(views: readonly WarmUpView[]): string[] {
  const severalVenues = new Set(views.map(({ venue }) => venue)).size > 1;
  return views.map(({ venue, symbol }) => (severalVenues ? `${symbol} ${venue}` : symbol));
}

function cells(views: readonly WarmUpView[], width: number): Line[] {
  const names = namesOf(views);
  const nameWidth = Math.min(
    Math.max(4, ...names.map(displayWidth)),
    Math.max(4, width - barWidth - shareWidth - 2),
  );
  return views.map((view, index) => [
    ...padLine(clipLine([span(names[index] ?? '')], nameWidth), nameWidth),
    span(' '),
    ...bar(view.progress, barWidth),
    ...padLine([span(percent(Math.min(0.99, view.progress)), 'dim')], shareWidth, 'right'),
  ]);
}

function inRows(all: readonly Line[], width: number): Line[] {
  const cell = Math.max(1, ...all.map(lineWidth));
  const perRow = Math.max(1, Math.floor((width + gap) / (cell + gap)));
  const rows = Math.ceil(all.length / perRow);
  return Array.from({ length: rows }, (_, row) =>
    joinFitting(all.slice(row * perRow, (row + 1) * perRow), width, gap),
  );
}

/** `R_24h (8)  ATR (3)`: how many symbols wait for what, the most wanted first. */
function missingInputs(cold: readonly WarmUpView[]): string {
  const counts = new Map<string, number>();
  for (const name of cold.flatMap(({ missing }) => missing)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} (${count})`).join('  ');
}

function heading(cold: readonly WarmUpView[], of: number, width: number): Line {
  const missing = missingInputs(cold);
  return joinFitting(
    [
      [span('WARMING UP', 'strong')],
      [span(`${of - cold.length} of ${plural(of, 'symbol')} ready`, 'dim')],
      missing === '' ? [] : [span(`waiting for ${missing}`, 'dim')],
    ],
    width,
  );
}

function cut(lines: readonly Line[], rows: number): readonly Line[] {
  if (lines.length <= rows || rows < 2) return lines.slice(0, rows);
  return [...lines.slice(0, rows - 1), [span('...', 'dim')]];
}

/** How far each symbol is from its first score; nothing once all have one. */
export function warmUpBlock({ warmUps }: LiveState, width: number): Block {
  const cold = warmUps.filter(view => !isWarm(view));
  if (cold.length === 0) return { least: 0, most: 0, render: () => [] };
  const lines = [heading(cold, warmUps.length, width), ...inRows(cells(cold, width), width)];
  return { least: 1, most: Math.min(lines.length, 9), render: rows => cut(lines, rows) };
}
