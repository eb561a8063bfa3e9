import { type Block, cutTable, fixedBlock } from './block.ts';
import type { FleetState } from './fleet-state.ts';
import { problemsBlock } from './footer-block.ts';
import type { Placed } from './layout.ts';
import { type Ink, type Line, type Span, joinFitting, span, spread } from './line.ts';
import { compact, plural, shortId, shortMoment, stopWatch } from './readable.ts';
import { regimeBlock } from './regime-block.ts';
import { type ScreenOptions, drawn } from './screen.ts';
import { signalsBlock } from './signals-block.ts';
import { type TableColumn, table } from './table.ts';

type Phase = FleetState['workers'][number]['phase'];

const right = { align: 'right' } as const;

const marks: Readonly<Record<Phase, Span>> = {
  starting: span('◌', 'dim'),
  ready: span('●', 'good'),
  'not-ready': span('◑', 'warn'),
  draining: span('◐', 'warn'),
  waiting: span('↻', 'bad'),
  stopped: span('○', 'dim'),
};

const workerColumns: readonly TableColumn[] = [
  { heading: '' },
  { heading: 'worker' },
  { heading: 'state' },
  { heading: 'process', ...right, rank: 2 },
  { heading: 'restarts', ...right, rank: 1 },
  { heading: 'feeds', rank: 3 },
  { heading: 'why' },
];

const pipelineColumns: readonly TableColumn[] = [
  { heading: '' },
  { heading: 'pipeline', minWidth: 14 },
  { heading: 'on', ...right, rank: 1 },
  { heading: 'in/s', ...right, minWidth: 7 },
  { heading: 'out/s', ...right, minWidth: 7 },
  { heading: 'in flight', ...right, rank: 3 },
  { heading: 'lag', ...right, minWidth: 7 },
  { heading: 'retries', ...right, rank: 4 },
  { heading: 'again', ...right, rank: 4 },
  { heading: 'dead letters', ...right, rank: 2 },
  { heading: 'watermark', ...right, minWidth: 11, rank: 5 },
];

function header(state: FleetState, width: number): Block {
  const { phase, workers, url } = state;
  const phases: Readonly<Record<FleetState['phase'], Span>> = {
    live: span('● live', 'good'),
    draining: span('◐ draining', 'warn'),
    done: span('✔ done', 'good'),
    failed: span('✗ failed', 'bad'),
  };
  const left = joinFitting(
    [[span('CryptoRun Streams', 'strong')], [phases[phase]], [span(state.title, 'dim')]],
    width,
  );
  const title = spread(left, [span('running ', 'dim'), span(stopWatch(state.elapsedMs))], width);
  const ready = workers.filter(worker => worker.phase === 'ready').length;
  const ink: Ink = ready === workers.length ? 'good' : 'warn';
  const facts: Line[] = [
    [span(`${ready} of ${plural(workers.length, 'worker')} ready`, ink)],
    ...(url === undefined ? [] : [[span('health and metrics at ', 'dim'), span(url)] satisfies Line]),
  ];
  return fixedBlock([title, joinFitting(facts, width)], 1);
}

function workersBlock({ workers }: FleetState, width: number): Block {
  const rows = workers.map(({ name, phase, pid, restarts, feeds, reasons }) => [
    marks[phase],
    span(name),
    span(phase),
    span(pid === undefined ? '-' : String(pid), 'dim'),
    span(String(restarts), restarts > 0 ? 'warn' : 'dim'),
    span(feeds.join(', '), 'dim'),
    span(phase === 'ready' ? '' : reasons.join('; '), 'dim'),
  ]);
  const lines = table(workerColumns, rows, { width });
  return {
    least: Math.min(3, lines.length),
    most: lines.length,
    render: count => cutTable(lines, count, 'worker'),
  };
}

function pipelinesBlock({ pipelines }: FleetState, width: number): Block {
  if (pipelines.length === 0) return fixedBlock([[span('no worker tells of its pipelines yet', 'dim')]]);
  const rows = pipelines.map(total => [
    markOf(total),
    span(total.pipeline),
    span(String(total.workers), 'dim'),
    span(compact(total.inPerSecond)),
    span(compact(total.outPerSecond)),
    span(compact(total.inFlight), 'dim'),
    span(compact(total.lag)),
    span(compact(total.retried), total.retried > 0 ? 'warn' : 'dim'),
    span(compact(total.repeated), total.repeated > 0 ? 'warn' : 'dim'),
    span(compact(total.deadLettered), total.deadLettered > 0 ? 'bad' : 'dim'),
    span(total.watermark === undefined ? '-' : shortMoment(total.watermark), 'dim'),
  ]);
  const lines = table(pipelineColumns, rows, { width });
  return {
    least: Math.min(4, lines.length),
    most: lines.length,
    render: count => cutTable(lines, count, 'pipeline'),
  };
}

function markOf({ workers, openCircuits }: FleetState['pipelines'][number]): Span {
  if (openCircuits > 0) return span('⊘', 'bad');
  return workers > 0 ? span('●', 'good') : span('○', 'dim');
}

function footer({ phase, market, explainCommand, log }: FleetState, width: number): Block {
  const newest = market?.signals[0];
  const stop: Line =
    phase === 'live'
      ? [span('Ctrl-C', 'accent'), span(' stops all', 'dim')]
      : [span(phase === 'draining' ? 'finishing what is in flight' : '', 'warn')];
  const why: Line = newest
    ? [span('why? ', 'dim'), span(`${explainCommand} ${shortId(newest.id)}`, 'accent')]
    : [];
  return fixedBlock([joinFitting([stop, why, [span(`log in ${log}`, 'dim')]], width)]);
}

function marketOf({ market, phase }: FleetState, width: number): Placed[] {
  if (market === undefined) return [];
  const { signals, tallies } = market;
  return [
    { rank: 7, block: regimeBlock(market, width) },
    {
      rank: 6,
      block: signalsBlock({ signals, tallies, phase: phase === 'failed' ? 'stopped' : phase }, width),
      takesRest: true,
    },
  ];
}

/** The live view over all workers as lines of text, within the terminal as `renderScreen` is. */
export function renderFleet(state: FleetState, options: ScreenOptions): string[] {
  return drawn(options, width => [
    { rank: 1, block: header(state, width) },
    { rank: 3, block: problemsBlock(state.problems, width) },
    { rank: 4, block: workersBlock(state, width) },
    { rank: 5, block: pipelinesBlock(state, width) },
    ...marketOf(state, width),
    { rank: 2, block: footer(state, width) },
  ]);
}
