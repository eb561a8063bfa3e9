import { describe, expect, it } from 'vitest';
import { VirtualTimeScheduler } from 'rxjs';
import { decode, mapValues, publishTo } from '../../operators/index.ts';
import type { BusHealth } from '../../src/bus/health.ts';
import { textCodec } from '../../src/core/codec.ts';
import { topic } from '../../src/core/topic.ts';
import { pipeline } from '../../src/runtime/pipeline.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import { type Series, SeriesMeter } from '../../src/runtime/series.ts';
import { virtualBus } from '../../src/testing/index.ts';
import { cappedSeries } from '../../src/runtime/capped-series.ts';
import { metricCatalog } from '../../src/runtime/metric-catalog.ts';
import { prometheusPage } from '../../src/worker/prometheus.ts';
import { runtimeSeries } from '../../src/runtime/runtime-series.ts';

const pageOf = (...series: Series[]): Promise<string> =>
  prometheusPage(() => Promise.resolve(series), { processMetrics: false }).text();

const gauge = (name: string, value: number, tags: Record<string, string> = {}): Series => {
  return { name, tags, kind: 'gauge', value };
};

const words = topic('words', textCodec);
const shouted = topic('shouted', textCodec);
const upper = pipeline('upper', ({ source, publisher, onFailure }) =>
  source(words).pipe(
    decode(words),
    mapValues(word => word.toUpperCase()),
    publishTo(shouted, publisher),
    onFailure(),
  ),
);

describe('prometheusPage', () => {
  it('writes counters and gauges with help, type and labels', async () => {
    const text = await pageOf(
      { name: 'stream_dlq_total', tags: { pipeline: 'a', tag: 'decode' }, kind: 'counter', value: 3 },
      gauge('stream_in_flight', 7, { pipeline: 'a' }),
    );
    expect(text).toContain('# HELP stream_dlq_total Messages stored as dead letters.');
    expect(text).toContain('# TYPE stream_dlq_total counter\nstream_dlq_total{pipeline="a",tag="decode"} 3');
    expect(text).toContain('# TYPE stream_in_flight gauge\nstream_in_flight{pipeline="a"} 7');
  });

  it('adds up series with equal labels and takes series of one name with other labels', async () => {
    const text = await pageOf(
      gauge('stream_buffered', 2, { stage: 'each' }),
      gauge('stream_buffered', 3, { stage: 'each' }),
      gauge('stream_buffered', 1),
    );
    expect(text).toContain('stream_buffered{stage="each"} 5');
    expect(text).toContain('stream_buffered 1');
  });

  it('writes what was counted in buckets as one histogram of several pipelines', async () => {
    const part = (suffix: string, pipeline: string, value: number, more = {}): Series => {
      return {
        name: `stream_handling_seconds_${suffix}`,
        tags: { pipeline, ...more },
        kind: 'counter',
        value,
      };
    };
    const of = (pipeline: string, fast: number, all: number): Series[] => [
      part('bucket', pipeline, fast, { le: '0.5' }),
      part('bucket', pipeline, all, { le: '+Inf' }),
      part('sum', pipeline, all / 4),
      part('count', pipeline, all),
    ];
    const text = await pageOf(...of('a', 3, 4), ...of('b', 0, 8));
    expect(text.trim().split('\n').slice(1)).toEqual([
      '# TYPE stream_handling_seconds histogram',
      'stream_handling_seconds_bucket{pipeline="a",le="0.5"} 3',
      'stream_handling_seconds_bucket{pipeline="a",le="+Inf"} 4',
      'stream_handling_seconds_sum{pipeline="a"} 1',
      'stream_handling_seconds_count{pipeline="a"} 4',
      'stream_handling_seconds_bucket{pipeline="b",le="0.5"} 0',
      'stream_handling_seconds_bucket{pipeline="b",le="+Inf"} 8',
      'stream_handling_seconds_sum{pipeline="b"} 2',
      'stream_handling_seconds_count{pipeline="b"} 8',
    ]);
  });

  it('makes names and labels legal and cuts long values', async () => {
    const text = await pageOf(gauge('1 of-mine', 4, { 'a-b': 'x'.repeat(300), quote: '"\n' }));
    expect(text).toContain(`_1_of_mine{a_b="${'x'.repeat(256)}",quote="\\"\\n"} 4`);
  });

  it('tells of the process', async () => {
    const text = await prometheusPage(() => Promise.resolve([])).text();
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});

describe('runtimeSeries', () => {
  it('has what must always be there before anything has happened, with help', async () => {
    const { bus, scheduler } = virtualBus();
    const read = runtimeSeries(new Runtime([], bus, { scheduler }), scheduler);
    const text = await prometheusPage(read, { processMetrics: false }).text();
    const always = [
      'stream_publish_total',
      'stream_consume_total',
      'stream_publish_bytes',
      'stream_handler_error_total',
      'stream_retries_total',
      'stream_dlq_total',
      'stream_mirror_lag',
    ];
    for (const name of always) {
      expect(text).toContain(`# HELP ${name} `);
      expect(text).toContain(`\n${name} 0`);
    }
  });

  it('tells where each pipeline stands', async () => {
    const { bus, scheduler, ...virtual } = virtualBus({ topics: { words: {}, shouted: {} } });
    const runtime = new Runtime([upper], bus, { scheduler });
    await runtime.start();
    await bus.publish({ topic: 'words', key: 'k', payload: Buffer.from('hello'), timestamp: 1_000 });
    virtual.runFor(5_000);
    const series = await runtimeSeries(runtime, scheduler)();
    const valueOf = (name: string, more = {}): number | undefined =>
      series.find(s => s.name === name && Object.entries(more).every(([k, v]) => s.tags[k] === v))?.value;
    expect(valueOf('stream_consume_total', { pipeline: 'upper' })).toBe(1);
    expect(valueOf('stream_publish_bytes')).toBe(5);
    expect(valueOf('stream_lag_messages', { pipeline: 'upper' })).toBe(0);
    expect(valueOf('stream_lag_event_time_seconds')).toBe(4);
    expect(valueOf('stream_running')).toBe(1);
    expect(valueOf('stream_handling_seconds_count', { pipeline: 'upper' })).toBe(1);
    expect(valueOf('stream_handling_seconds_bucket', { pipeline: 'upper', le: '+Inf' })).toBe(1);
    expect(valueOf('stream_handling_seconds_sum')).toBeGreaterThan(0);
    const known = (name: string): boolean => name.replace(/_(bucket|sum|count)$/, '') in metricCatalog;
    expect(series.filter(({ name }) => !known(name))).toEqual([]);
    runtime.stop();
  });

  it('tells how the bus is, as far as its backend knows', async () => {
    const scheduler = new VirtualTimeScheduler();
    const metrics = {
      connectedBrokers: 2,
      activeTopics: 1,
      activeConsumers: 1,
      producerLatencyMs: 5,
      consumerLatencyMs: 250,
      underReplicatedPartitions: 7,
    };
    const health = (): Promise<BusHealth> =>
      Promise.resolve({ healthy: false, status: 'degraded', errors: ['copies out of sync'], metrics });
    const runtime = {
      bus: { health },
      meter: new SeriesMeter(),
      pipelines: [],
      status: () => Promise.resolve([]),
    };
    const found = (await runtimeSeries(runtime, scheduler)()).filter(({ name }) => name.includes('_bus_'));
    expect(Object.fromEntries(found.map(({ name, value }) => [name, value]))).toEqual({
      stream_bus_healthy: 0,
      stream_bus_connected_brokers: 2,
      stream_bus_under_replicated_partitions: 7,
      stream_bus_producer_latency_seconds: 0.005,
      stream_bus_consumer_latency_seconds: 0.25,
    });
  });

  it('caps the label sets of one metric and counts what is left out', async () => {
    const { bus, scheduler } = virtualBus();
    const meter = new SeriesMeter();
    for (let i = 0; i < 1500; i++) meter.counter('keys_total', { key: String(i) }).add(i);
    const series = await runtimeSeries(new Runtime([], bus, { scheduler, meter }), scheduler)();
    const kept = series.filter(({ name }) => name === 'keys_total');
    expect(kept).toHaveLength(1000);
    expect(kept.at(-1)?.tags).toEqual({ key: '999' });
    expect(series).toContainEqual(gauge('stream_metrics_capped', 500, { metric: 'keys_total' }));
  });

  it('leaves a histogram out whole', () => {
    const of = (pipeline: string): Series[] =>
      ['1', '+Inf'].map(le => ({ name: 'h_bucket', tags: { pipeline, le }, kind: 'counter', value: 1 }));
    expect(cappedSeries([...of('a'), ...of('b'), ...of('c')], 2)).toEqual([
      ...of('a'),
      ...of('b'),
      gauge('stream_metrics_capped', 1, { metric: 'h_bucket' }),
    ]);
  });
});
