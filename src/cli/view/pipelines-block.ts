import type { PipelinePhase, PipelineStatus } from '../../runtime/pipeline-status.ts';
import { type Block, cutTable } from './block.ts';
import { type Ink, type Line, type Span, span } from './line.ts';
import type { LiveState, PipelineView } from './live-state.ts';
import { compact, lengthOfTime, shortMoment, timeOfDay } from './readable.ts';
import { type TableColumn, fitsWhole, table } from './table.ts';

const marks: Readonly<Record<PipelinePhase, Span>> = {
  starting: span('◌', 'dim'),
  running: span('●', 'good'),
  draining: span('◐', 'warn'),
  restarting: span('↻', 'bad'),
  stopped: span('○', 'dim'),
};

/** The mark of a pipeline: an open circuit counts for more than that it runs. */
function markOf({ phase, circuits }: PipelineStatus): Span {
  const states = new Set(circuits.values());
  if (phase !== 'running') return marks[phase];
  if (states.has('open')) return span('⊘', 'bad');
  return states.has('half-open') ? span('◑', 'warn') : marks.running;
}

/** Past this much lag the number is shown as a warning. */
const notableLag = 10_000;

const right = { align: 'right' } as const;

const roomy: readonly TableColumn[] = [
  { heading: '' },
  { heading: 'pipeline', minWidth: 14 },
  { heading: 'in/s', ...right, minWidth: 7 },
  { heading: 'out/s', ...right, minWidth: 7 },
  { heading: 'in flight', ...right, rank: 3 },
  { heading: 'lag', ...right, minWidth: 7 },
  { heading: 'behind', ...right, minWidth: 7, rank: 1 },
  { heading: 'retries', ...right, rank: 4 },
  { heading: 'dead letters', ...right, rank: 2 },
  { heading: 'watermark', ...right, minWidth: 17, rank: 5 },
];

const tightHeadings: Readonly<Record<string, string>> = {
  'in flight': 'flight',
  retries: 'retry',
  'dead letters': 'dead',
};

const tight: readonly TableColumn[] = roomy.map(column => ({
  ...column,
  heading: tightHeadings[column.heading] ?? column.heading,
  minWidth: column.heading === 'watermark' ? 9 : Math.min(column.minWidth ?? 0, 6),
}));

function alarming(count: number, ink: Ink): Span {
  return span(compact(count), count > 0 ? ink : 'dim');
}

function rowOf({ status, inPerSecond, outPerSecond, lagMs }: PipelineView, watermark: string): Span[] {
  return [
    markOf(status),
    span(status.name, status.problem === undefined ? 'plain' : 'bad'),
    span(compact(inPerSecond)),
    span(compact(outPerSecond)),
    span(compact(status.inFlight), 'dim'),
    span(compact(status.lag), status.lag > notableLag ? 'warn' : 'plain'),
    span(lengthOfTime(lagMs)),
    alarming(status.retried, 'warn'),
    alarming(status.deadLettered, 'bad'),
    span(watermark, 'dim'),
  ];
}

function wideWatermark(ms: number | undefined): string {
  return ms === undefined ? '-' : `${shortMoment(ms)}${timeOfDay(ms).slice(-3)}`;
}

function linesOf(views: readonly PipelineView[], width: number): Line[] {
  const wide = views.map(view => rowOf(view, wideWatermark(view.status.watermark)));
  if (fitsWhole(roomy, wide, { width })) return table(roomy, wide, { width });
  const narrow = views.map(view => rowOf(view, timeOfDay(view.status.watermark)));
  const gap = fitsWhole(tight, narrow, { width }) ? 2 : 1;
  return table(tight, narrow, { width, gap });
}

/** The table of pipelines. */
export function pipelinesBlock({ pipelines }: LiveState, width: number): Block {
  if (pipelines.length === 0) return { least: 0, most: 0, render: () => [] };
  const lines = linesOf(pipelines, width);
  return {
    least: Math.min(4, lines.length),
    most: lines.length,
    render: rows => cutTable(lines, rows, 'pipeline'),
  };
}
