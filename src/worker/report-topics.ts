import * as t from 'io-ts';
import { jsonCodec } from '../core/codec.ts';
import { type Topic, topic } from '../core/topic.ts';

const dayMs = 24 * 3_600_000;

/** One metric of one worker: all of its series at one time. Key: the metric's name. */
export interface MetricReport {
  readonly worker: string;
  /** Wall clock, ms. */
  readonly time: number;
  readonly metric: string;
  readonly kind: 'counter' | 'gauge';
  readonly series: readonly { readonly tags: Readonly<Record<string, string>>; readonly value: number }[];
}

export const MetricReport: t.Type<MetricReport> = t.type({
  worker: t.string,
  time: t.number,
  metric: t.string,
  kind: t.keyof({ counter: null, gauge: null }),
  series: t.readonlyArray(t.type({ tags: t.record(t.string, t.string), value: t.number })),
});

/** Where one worker stands. Key: the worker's name. */
export interface HealthReport {
  readonly worker: string;
  /** Wall clock, ms. */
  readonly time: number;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reasons: readonly string[];
  readonly pipelines: readonly {
    readonly name: string;
    readonly phase: string;
    readonly inFlight: number;
    readonly lag: number;
    readonly restarts: number;
  }[];
}

export const HealthReport: t.Type<HealthReport> = t.type({
  worker: t.string,
  time: t.number,
  ready: t.boolean,
  reasons: t.readonlyArray(t.string),
  pipelines: t.readonlyArray(
    t.type({ name: t.string, phase: t.string, inFlight: t.number, lag: t.number, restarts: t.number }),
  ),
});

/** What is written to the audit log. */
export type AuditAction =
  | 'worker-started'
  | 'worker-stopped'
  | 'config-loaded'
  | 'topic-created'
  | 'topic-changed'
  | 'topic-deleted'
  | 'control'
  | 'circuit-changed'
  | 'state-reset'
  | 'dead-letters-replayed'
  | 'quarantine-released';

/** Who changed what, and when. Key: the actor. */
export interface AuditEvent {
  /** A worker's name, or who gave a command. */
  readonly actor: string;
  /** Wall clock, ms. */
  readonly time: number;
  readonly action: AuditAction;
  /** What was changed: the name of a topic, a file, a pipeline. */
  readonly subject: string;
  /** More about it; never a secret. */
  readonly details: Readonly<Record<string, string>>;
}

export const AuditEvent: t.Type<AuditEvent> = t.type({
  actor: t.string,
  time: t.number,
  action: t.keyof({
    'worker-started': null,
    'worker-stopped': null,
    'config-loaded': null,
    'topic-created': null,
    'topic-changed': null,
    'topic-deleted': null,
    control: null,
    'circuit-changed': null,
    'state-reset': null,
    'dead-letters-replayed': null,
    'quarantine-released': null,
  }),
  subject: t.string,
  details: t.record(t.string, t.string),
});

/** Every number of every worker, each 10 s. */
export const metricsTopic: Topic<MetricReport> = topic(
  'cryptorun-metrics',
  jsonCodec(MetricReport, { name: 'MetricReport' }),
  { partitions: 3, retentionMs: 7 * dayMs },
);

/** Where every worker stands, each 10 s. */
export const healthTopic: Topic<HealthReport> = topic(
  'cryptorun-health-checks',
  jsonCodec(HealthReport, { name: 'HealthReport' }),
  { partitions: 1, retentionMs: dayMs },
);

/** Who changed what. */
export const auditTopic: Topic<AuditEvent> = topic(
  'cryptorun-audit-log',
  jsonCodec(AuditEvent, { name: 'AuditEvent' }),
  { partitions: 6, retentionMs: 90 * dayMs },
);

/** The topics that workers report to. */
export const reportTopics: readonly Topic<unknown>[] = [metricsTopic, healthTopic, auditTopic].map(
  ({ name, codec, settings }) => ({ name, codec, settings }),
);
