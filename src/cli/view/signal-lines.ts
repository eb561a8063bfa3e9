import { priceInWords } from '../../../pipelines/number-words.ts';
import type { Signal } from '../../../pipelines/signal-value.ts';
import { type Line, type Span, clipLine, span, spread } from './line.ts';
import { shortId, shortMoment, signed } from './readable.ts';
import { labelled } from './regime-words.ts';
import { type Cell, type TableColumn, table } from './table.ts';

const columns: readonly TableColumn[] = [
  { heading: 'time' },
  { heading: 'kind' },
  { heading: 'symbol' },
  { heading: 'venue', rank: 2 },
  { heading: 'price', align: 'right' },
  { heading: 'score', rank: 1 },
  { heading: 'stop or return' },
  { heading: 'regime or reason', rank: 3 },
];

/** Eight digits of the id and a space. */
const idWidth = 10;

function kindOf({ kind }: Signal): Span {
  return kind === 'entry' ? span('▲ ENTRY', 'good') : span('▼ EXIT', 'accent');
}

function outcomeOf(signal: Signal): [Line, Line] {
  if (signal.kind === 'entry') {
    return [[span('stop ', 'dim'), span(priceInWords(signal.stopPrice))], [labelled(signal.regime)]];
  }
  const change = span(`${signed(signal.return * 100)} %`, signal.return < 0 ? 'bad' : 'good');
  return [[change], [span(signal.exitReason)]];
}

function cellsOf(signal: Signal): Cell[] {
  return [
    span(shortMoment(signal.time), 'dim'),
    kindOf(signal),
    span(signal.symbol, 'strong'),
    span(signal.venue, 'dim'),
    span(priceInWords(signal.price), 'strong'),
    [span('score ', 'dim'), span(signal.score.toFixed(1))],
    ...outcomeOf(signal),
  ];
}

/** One line for each signal, aligned: when, what, where, the price, what it is worth, and the id to ask for. */
export function signalLines(signals: readonly Signal[], width: number): Line[] {
  const rows = table(columns, signals.map(cellsOf), { width: Math.max(0, width - idWidth), bare: true });
  return rows.map((row, index) => spread(row, [span(shortId(signals[index]?.id ?? ''), 'accent')], width));
}

/** Its reasons, indented, one a line. */
export function reasonLines(signal: Signal, width: number): Line[] {
  const indent = span(' '.repeat(13));
  return signal.reasons.map(reason => clipLine([indent, span('· ', 'dim'), span(reason, 'dim')], width));
}
