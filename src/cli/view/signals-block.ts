import type { Block } from './block.ts';
import { type Line, clipLine, joinFitting, span } from './line.ts';
import { type LiveState, isOver, signalTotals } from './live-state.ts';
import { plural } from './readable.ts';
import { reasonLines, signalLines } from './signal-lines.ts';

const mostShown = 50;

/** What the block says something of. */
export type SignalsShown = Pick<LiveState, 'signals' | 'tallies' | 'phase'>;

function heading(state: SignalsShown, width: number): Line {
  const { entries, exits } = signalTotals(state);
  const counts = `${plural(entries, 'entry', 'entries')}, ${plural(exits, 'exit')}`;
  return joinFitting([[span('SIGNALS', 'strong')], [span(counts, 'dim')]], width);
}

function waiting({ phase }: SignalsShown, width: number): Line {
  const text = isOver(phase) ? 'none' : 'none yet: an entry needs a score of 75 and all gates passed';
  return clipLine([span(`  ${text}`, 'dim')], width);
}

/** Signals as long as they fit whole with their reasons; the first one is cut rather than left out. */
function fill(signals: readonly (readonly Line[])[], rows: number): Line[] {
  const lines: Line[] = [];
  for (const signal of signals) {
    if (lines.length > 0 && lines.length + signal.length > rows) break;
    lines.push(...signal);
  }
  return lines.slice(0, Math.max(0, rows));
}

/** The last signals with their reasons, newest first. */
export function signalsBlock(state: SignalsShown, width: number): Block {
  const top = heading(state, width);
  const shown = state.signals.slice(0, mostShown);
  const lines = signalLines(shown, width);
  const signals = shown.map((signal, index) => [lines[index] ?? [], ...reasonLines(signal, width)]);
  const body = signals.length === 0 ? [[waiting(state, width)]] : signals;
  const most = 1 + body.reduce((sum, lines) => sum + lines.length, 0);
  return { least: 1 + (body[0]?.length ?? 0), most, render: rows => [top, ...fill(body, rows - 1)] };
}
