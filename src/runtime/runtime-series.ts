import type { SchedulerLike } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { BusHealth } from '../bus/health.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import type { RunningPipeline } from './running-pipeline.ts';
import type { Series, SeriesMeter } from './series.ts';
import { cappedSeries } from './capped-series.ts';
import { metricCatalog } from './metric-catalog.ts';

/** What of a runtime its numbers are read from. */
interface RuntimeNumbers {
  readonly bus: Pick<EventBus, 'health'>;
  readonly meter: SeriesMeter;
  readonly pipelines: readonly RunningPipeline[];
  status(): Promise<readonly PipelineStatus[]>;
}

/** Every number of a runtime as it is now; asked by whoever publishes them. */
export type ReadSeries = () => Promise<readonly Series[]>;

/**
 * Every number of a runtime: what is counted, where each pipeline stands, how long handling takes, and 0 for
 * what must always be there. At most 1000 label sets a name.
 */
export function runtimeSeries(runtime: RuntimeNumbers, scheduler: SchedulerLike): ReadSeries {
  return async () => {
    const [statuses, health] = await Promise.all([runtime.status(), runtime.bus.health()]);
    const series = [
      ...runtime.meter.read(),
      ...statuses.flatMap(status => seriesOf(status, scheduler.now())),
      ...runtime.pipelines.flatMap(handlingSeries),
      ...busSeries(health),
    ];
    return cappedSeries([...series, ...missing(series)]);
  };
}

function missing(series: readonly Series[]): Series[] {
  const present = new Set(series.map(({ name }) => name));
  return Object.entries(metricCatalog).flatMap(([name, { always, kind }]) =>
    always && kind !== 'histogram' && !present.has(name) ? [{ name, kind, tags: {}, value: 0 }] : [],
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

/** What a backend does not have is left out. */
function busSeries({ healthy, metrics }: BusHealth): Series[] {
  const figures: readonly (readonly [string, Series['kind'], number | undefined])[] = [
    ['healthy', 'gauge', healthy ? 1 : 0],
    ['connected_brokers', 'gauge', metrics.connectedBrokers],
    ['under_replicated_partitions', 'gauge', metrics.underReplicatedPartitions],
    ['producer_latency_seconds', 'gauge', metrics.producerLatencyMs / 1000],
    ['consumer_latency_seconds', 'gauge', metrics.consumerLatencyMs / 1000],
    ['rebalances_total', 'counter', metrics.rebalances],
    ['consumer_restarts_total', 'counter', metrics.consumerRestarts],
  ];
  return figures.flatMap(([name, kind, value]) =>
    value === undefined ? [] : [{ name: `stream_bus_${name}`, kind, tags: {}, value }],
  );
}

function handlingSeries({ pipeline: { name: pipeline }, handling: { buckets } }: RunningPipeline): Series[] {
  const name = 'stream_handling_seconds';
  const tags = { pipeline };
  const counter = (suffix: string, value: number, more = {}): Series => {
    return { name: `${name}_${suffix}`, tags: { ...tags, ...more }, kind: 'counter', value };
  };
  return [
    ...buckets.cumulative.map(([le, count]) => counter('bucket', count, { le })),
    counter('sum', buckets.sum),
    counter('count', buckets.count),
  ];
}
