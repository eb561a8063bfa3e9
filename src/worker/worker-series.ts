import type { SchedulerLike } from 'rxjs';
import type { PipelineStatus } from '../runtime/pipeline-status.ts';
import type { RunningPipeline } from '../runtime/running-pipeline.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Series } from '../runtime/series.ts';
import { cappedSeries } from './capped-series.ts';
import { metricCatalog } from './metric-catalog.ts';

/** Every number of a worker as it is now; asked by whoever publishes them. */
export type ReadSeries = () => Promise<readonly Series[]>;

const quantiles = [
  { quantile: '0.5', percent: 50 },
  { quantile: '0.9', percent: 90 },
  { quantile: '0.99', percent: 99 },
  { quantile: '0.999', percent: 99.9 },
];

/**
 * Every number of a runtime: what is counted, where each pipeline stands, how long handling takes, and 0 for
 * what must always be there. At most 1000 label sets a name.
 */
export function workerSeries(
  runtime: Pick<Runtime, 'meter' | 'pipelines' | 'status'>,
  scheduler: SchedulerLike,
): ReadSeries {
  return async () => {
    const statuses = await runtime.status();
    const series = [
      ...runtime.meter.read(),
      ...statuses.flatMap(status => seriesOf(status, scheduler.now())),
      ...runtime.pipelines.flatMap(handlingSeries),
    ];
    return cappedSeries([...series, ...missing(series)]);
  };
}

function missing(series: readonly Series[]): Series[] {
  const present = new Set(series.map(({ name }) => name));
  return Object.entries(metricCatalog).flatMap(([name, { always, kind }]) =>
    always && !present.has(name) ? [{ name, kind, tags: {}, value: 0 }] : [],
  );
}

function seriesOf(status: PipelineStatus, now: number): Series[] {
  const tags = { pipeline: status.name };
  const gauge = (name: string, value: number): Series => ({ name, tags, kind: 'gauge', value });
  const counter = (name: string, value: number): Series => ({ name, tags, kind: 'counter', value });
  const { eventTime, watermark } = status;
  return [
    gauge('stream_running', status.phase === 'running' ? 1 : 0),
    gauge('stream_lag_messages', status.lag),
    ...(eventTime === undefined ? [] : [gauge('stream_lag_event_time_seconds', (now - eventTime) / 1000)]),
    ...(watermark === undefined ? [] : [gauge('stream_watermark_seconds', watermark / 1000)]),
    counter('stream_restarts_total', status.restarts),
    counter('stream_snapshots_total', status.snapshots),
    ...[...status.keys].map(([operator, keys]): Series => {
      return { name: 'stream_state_keys', tags: { ...tags, operator }, kind: 'gauge', value: keys };
    }),
  ];
}

function handlingSeries({ pipeline: { name: pipeline }, handling }: RunningPipeline): Series[] {
  const byQuantile = quantiles.map(({ quantile, percent }): Series => {
    const value = handling.percentile(percent) / 1000;
    return { name: 'stream_handling_seconds', tags: { pipeline, quantile }, kind: 'gauge', value };
  });
  const { count } = handling;
  return [
    ...byQuantile,
    { name: 'stream_handling_samples_total', tags: { pipeline }, kind: 'counter', value: count },
  ];
}
