import type { PipelineTotal } from '../../supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../supervisor/worker-status.ts';
import { compact, moment, plural } from './readable.ts';

/** How workers and their pipelines do, as lines for people. */
export function plainTotals(
  workers: readonly WorkerReport[],
  pipelines: readonly PipelineTotal[],
): readonly string[] {
  const states = workers.map(({ name, phase, restarts, feeds }) => {
    const told = [
      ...(restarts > 0 ? [plural(restarts, 'restart')] : []),
      ...feeds.map(feed => `feed ${feed}`),
    ];
    return `${name} ${phase}${told.length > 0 ? ` (${told.join(', ')})` : ''}`;
  });
  const width = Math.max(0, ...pipelines.map(({ pipeline }) => pipeline.length));
  const rows = pipelines.map(total => {
    const cells = [
      total.pipeline.padEnd(width),
      `in ${compact(total.inPerSecond)}/s`,
      `out ${compact(total.outPerSecond)}/s`,
      `in flight ${compact(total.inFlight)}`,
      `lag ${compact(total.lag)}`,
      `watermark ${moment(total.watermark)}`,
      `on ${total.workers}`,
    ];
    return `  ${cells.join('  ')}`;
  });
  return [states.join(', '), ...rows];
}

/** The same as one JSON object. */
export function jsonTotals(
  workers: readonly WorkerReport[],
  pipelines: readonly PipelineTotal[],
): readonly string[] {
  return [JSON.stringify({ workers, pipelines })];
}
