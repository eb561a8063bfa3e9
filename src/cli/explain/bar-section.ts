import { inWords, priceInWords } from '../../../pipelines/number-words.ts';
import { formatDuration } from '../../core/durations.ts';
import { type Line, span } from '../view/line.ts';
import { counted, lengthOfTime, moment, plural } from '../view/readable.ts';
import { type Cell, type TableColumn, table } from '../view/table.ts';
import type { BarInput, Explanation } from './explanation.ts';
import { paragraph, sectionTitle } from './section.ts';

const mostInputs = 6;

const columns: readonly TableColumn[] = [
  { heading: 'time (UTC)' },
  { heading: 'what' },
  { heading: 'price', align: 'right' },
  { heading: 'volume', align: 'right' },
  { heading: 'where', rank: 1 },
];

function millis(ms: number): string {
  return `${moment(ms)}.${String(((ms % 1_000) + 1_000) % 1_000).padStart(3, '0')}`;
}

function rowOf({ kind, time, price, volume, topic, partition, offset }: BarInput): Cell[] {
  return [
    span(millis(time)),
    span(kind, 'dim'),
    span(priceInWords(price), 'strong'),
    span(volume === undefined ? '-' : inWords(volume)),
    span(`${topic}[${partition}]@${offset}`, 'dim'),
  ];
}

/** The first and the last ones, with a word about those between. */
function inputLines(inputs: readonly BarInput[], width: number): Line[] {
  if (inputs.length === 0) return paragraph('The prices behind the bar are no longer kept.', width);
  const half = mostInputs / 2;
  const isLong = inputs.length > mostInputs;
  const shown = isLong ? [...inputs.slice(0, half), ...inputs.slice(-half)] : inputs;
  const lines = table(columns, shown.map(rowOf), { width });
  if (!isLong) return lines;
  const hidden: Line = [span(`... ${counted(inputs.length - mostInputs)} between ...`, 'dim')];
  return [...lines.slice(0, half + 1), hidden, ...lines.slice(half + 1)];
}

function closedInWords({ end, closedBy }: NonNullable<Explanation['bar']>): string {
  const delay = closedBy.time - end;
  const when = delay === 0 ? 'at its very end' : `${lengthOfTime(delay)} after its end`;
  return `Closed by the event of ${millis(closedBy.time)} UTC at ${priceInWords(closedBy.price)}, ${when}.`;
}

/** The bar that the score was made at, what went into it, and what showed that it was complete. */
export function barSection({ bar, inputs }: Explanation, width: number): Line[] {
  if (bar === undefined)
    return [sectionTitle('BAR', [], width), ...paragraph('The bar is no longer kept.', width)];
  const { open, high, low, close, volume, end, intervalMs } = bar;
  const prices = Object.entries({ open, high, low, close }).flatMap(([name, price]) => [
    span(`${name} `, 'dim'),
    span(`${priceInWords(price)}  `, name === 'close' ? 'strong' : 'plain'),
  ]);
  const title: Line = [
    span(`${formatDuration(intervalMs)} to ${moment(end)} UTC`),
    span(`  of ${plural(inputs.length, 'input')}`, 'dim'),
  ];
  return [
    sectionTitle('BAR', title, width),
    [...prices, span('volume ', 'dim'), span(inWords(volume))],
    ...inputLines(inputs, width),
    ...paragraph(closedInWords(bar), width),
  ];
}
