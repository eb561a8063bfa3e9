import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { CountedHistogram } from './counted-histogram.ts';
import type { Series } from '../runtime/series.ts';
import { metricCatalog } from '../runtime/metric-catalog.ts';
import type { ReadSeries } from '../runtime/runtime-series.ts';

/** What a scrape is answered with. */
export interface MetricsPage {
  readonly contentType: string;
  /** Reads every number and writes it in Prometheus' text format. */
  readonly text: () => Promise<string>;
}

export interface PrometheusOptions {
  /** Numbers of the process itself: memory, CPU, event loop; default true. */
  readonly processMetrics?: boolean;
}

const longestLabelValue = 256;

/** The numbers of a worker as Prometheus reads them; nothing is done between scrapes. */
export function prometheusPage(
  read: ReadSeries,
  { processMetrics = true }: PrometheusOptions = {},
): MetricsPage {
  const ofProcess = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: ofProcess });
  return {
    contentType: ofProcess.contentType,
    text: async () => {
      const registry = new Registry();
      for (const [name, series] of byMetric(await read())) register(registry, name, series);
      return `${await registry.metrics()}\n${processMetrics ? await ofProcess.metrics() : ''}`;
    },
  };
}

function byMetric(all: readonly Series[]): Map<string, readonly Series[]> {
  return Map.groupBy(all, ({ name }) => legalName(histogramOf(name) ?? name));
}

/** The histogram that a series is part of: a bucket, the sum, or the count. */
function histogramOf(series: string): string | undefined {
  const name = series.replace(/_(bucket|sum|count)$/, '');
  return metricCatalog[name]?.kind === 'histogram' ? name : undefined;
}

function register(registry: Registry, name: string, series: readonly Series[]): void {
  const labels = series.map(({ tags }) =>
    Object.fromEntries(
      Object.entries(tags).map(([label, value]) => [legalName(label), value.slice(0, longestLabelValue)]),
    ),
  );
  const configuration = {
    name,
    help: metricCatalog[name]?.help ?? `${name}, counted by a pipeline.`,
    labelNames: [...new Set(labels.flatMap(Object.keys))],
    registers: [registry],
  };
  const samples = series.map((each, i) => ({
    metricName: each.name,
    value: each.value,
    labels: labels[i] ?? {},
  }));
  const kind = metricCatalog[name]?.kind ?? series[0]?.kind ?? 'gauge';
  switch (kind) {
    case 'histogram':
      new CountedHistogram(configuration, samples);
      return;
    // Samples with the same labels are added up: two operators of one name in one chain, for example.
    case 'counter': {
      const counter = new Counter(configuration);
      for (const sample of samples) counter.inc(sample.labels, Math.max(0, sample.value));
      return;
    }
    case 'gauge': {
      const gauge = new Gauge(configuration);
      for (const sample of samples) gauge.inc(sample.labels, sample.value);
    }
  }
}

/** Letters, digits and underscores, no digit first: what Prometheus takes. */
function legalName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
}
