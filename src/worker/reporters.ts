import { type SchedulerLike, defer, firstValueFrom, retry, timer } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { OutgoingMessage } from '../core/message.ts';
import { Backoff } from '../core/backoff.ts';
import { BusError } from '../core/publisher.ts';
import type { Topic } from '../core/topic.ts';
import type { Series } from '../runtime/series.ts';
import type { ReadinessReport } from './readiness.ts';
import {
  type AuditAction,
  type AuditEvent,
  type HealthReport,
  type MetricReport,
  auditTopic,
  healthTopic,
  metricsTopic,
} from './report-topics.ts';
import { type Ticker, every } from '../runtime/ticker.ts';
import type { ReadSeries } from '../runtime/runtime-series.ts';

/** What reports are written with. */
export interface ReportingOptions {
  /** The name of the worker, or of who gives a command. */
  readonly name: string;
  readonly bus: Pick<EventBus, 'publishBatch'>;
  readonly scheduler: SchedulerLike;
  /** How often, ms; default 10 000. */
  readonly intervalMs?: number;
  /** Told what could not be reported; reporting goes on. */
  readonly failed?: (error: unknown) => void;
}

const defaultIntervalMs = 10_000;

/** Some seconds in all. */
const auditRetries = 5;
const auditBackoff = new Backoff('audit', { firstDelayMs: 100 });

/** Writes every number to `cryptorun-metrics` in an interval: one message a metric. */
export function reportMetrics(read: ReadSeries, options: ReportingOptions): Ticker {
  return reporting(options, async time =>
    metricReports(options.name, time, await read()).map(report =>
      outgoing(metricsTopic, report.metric, report.time, report),
    ),
  );
}

/** Writes where the worker stands to `cryptorun-health-checks` in an interval. */
export function reportHealth(ready: () => Promise<ReadinessReport>, options: ReportingOptions): Ticker {
  return reporting(options, async time => [
    outgoing(healthTopic, options.name, time, healthReport(options.name, time, await ready())),
  ]);
}

/** Writes to `cryptorun-audit-log` who changed what. */
export interface AuditLog {
  /** Settles once it is stored, or told as failed. */
  record(action: AuditAction, subject: string, details?: Readonly<Record<string, string>>): Promise<void>;
}

/** An audit log in the name of one actor. */
export function auditLog(options: ReportingOptions): AuditLog {
  const { name: actor, bus, scheduler, failed = () => undefined } = options;
  return {
    record: async (action, subject, details = {}) => {
      const event: AuditEvent = { actor, time: scheduler.now(), action, subject, details };
      await storeAgain(bus, outgoing(auditTopic, actor, event.time, event), scheduler).catch(failed);
    },
  };
}

/** What is told only once is tried again where the bus may take it later. @throws BusError the last refusal */
function storeAgain(
  bus: Pick<EventBus, 'publishBatch'>,
  message: OutgoingMessage,
  scheduler: SchedulerLike,
): Promise<void> {
  const stored$ = defer(() => store(bus, [message])).pipe(
    retry({
      count: auditRetries,
      delay: (error: unknown, attempt) => {
        if (!(error instanceof BusError) || !error.retryable) throw error;
        return timer(auditBackoff.delayMs(attempt), scheduler);
      },
    }),
  );
  return firstValueFrom(stored$);
}

function reporting(
  { bus, scheduler, intervalMs = defaultIntervalMs, failed = () => undefined }: ReportingOptions,
  report: (time: number) => Promise<readonly OutgoingMessage[]>,
): Ticker {
  return every(intervalMs, scheduler, async () => store(bus, await report(scheduler.now())), failed);
}

function outgoing<A>({ name, codec }: Topic<A>, key: string, timestamp: number, value: A): OutgoingMessage {
  return { topic: name, key, payload: codec.encode(value), timestamp };
}

/** @throws BusError the first refusal, naming how many there were */
async function store(
  bus: Pick<EventBus, 'publishBatch'>,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  const results = await bus.publishBatch(messages);
  const refused = results.flatMap(result => (result.ok ? [] : [result.error]));
  const [first] = refused;
  if (first === undefined) return;
  const count = `${refused.length} of ${messages.length} messages to ${messages[0]?.topic ?? ''}`;
  throw new BusError(first.code, `${count} were refused: ${first.message}`, { cause: first });
}

function metricReports(worker: string, time: number, all: readonly Series[]): MetricReport[] {
  const finite = all.filter(({ value }) => Number.isFinite(value));
  return [...Map.groupBy(finite, ({ name }) => name)].map(([metric, series]) => ({
    worker,
    time,
    metric,
    kind: series[0]?.kind ?? 'gauge',
    series: series.map(({ tags, value }) => ({ tags, value })),
  }));
}

function healthReport(worker: string, time: number, report: ReadinessReport): HealthReport {
  const { ready, reasons, pipelines } = report;
  return {
    worker,
    time,
    ready,
    reasons,
    pipelines: pipelines.map(({ name, phase, inFlight, lag, restarts }) => {
      return { name, phase, inFlight, lag, restarts };
    }),
  };
}
