import type { SchedulerLike } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { TopicSpec } from '../core/topic.ts';
import type { Pipeline } from '../runtime/pipeline.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { SeriesMeter } from '../runtime/series.ts';
import type { SnapshotOptions } from '../runtime/snapshots.ts';
import type { WorkerFeed } from './feeds.ts';
import type { HttpServer } from './http-server.ts';
import type { Logger } from './logger.ts';
import type { AuditLog } from './reporters.ts';

/** A worker that runs. */
export interface RunningWorker {
  readonly name: string;
  readonly bus: EventBus;
  readonly runtime: Runtime;
  readonly http: HttpServer;
  readonly audit: AuditLog;
}

export interface WorkerOptions extends SnapshotOptions {
  /** Names it in reports and in the log. */
  readonly name: string;
  readonly pipelines: readonly Pipeline[];
  /** Started and stopped by the worker. */
  readonly bus: EventBus;
  /** Created where they are missing, beside those that workers report to. */
  readonly topics?: readonly TopicSpec[];
  readonly feeds?: readonly WorkerFeed[];
  /** Default: a free port of `127.0.0.1`. */
  readonly http?: { readonly host?: string; readonly port?: number };
  /** How long what has begun may take to finish, ms; default 30 000. */
  readonly drainDeadlineMs?: number;
  /** Default: nobody is told. */
  readonly logger?: Logger;
  /** Aborts when the worker should stop. */
  readonly signal: AbortSignal;
  readonly meter?: SeriesMeter;
  /** The clock and timers; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** How often metrics and health are reported to their topics, ms; default 10 000. `false`: not at all. */
  readonly reportIntervalMs?: number | false;
  /** Not ready where one message has been unsettled for this long, ms; default 60 000. */
  readonly stuckAfterMs?: number;
  /** Told where health is served, before anything else is begun. */
  readonly serving?: (http: HttpServer) => unknown;
  /** Told once it runs: the place to add control routes. */
  readonly started?: (worker: RunningWorker) => unknown;
  /** Released when the pipelines have ended: sinks with open files, for example. */
  readonly release?: readonly (() => unknown)[];
}
