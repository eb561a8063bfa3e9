import { type SchedulerLike, asyncScheduler } from 'rxjs';
import { reasonOf } from '../core/failure.ts';
import { inTime } from '../core/in-time.ts';
import type { EventBus } from '../bus/event-bus.ts';
import type { CircuitChange } from '../../operators/index.ts';
import { type Drained, drainedText } from '../runtime/drained.ts';
import type { PipelineEvent } from '../runtime/pipeline-status.ts';
import { ensureTopic } from '../runtime/ensure-topic.ts';
import { Runtime } from '../runtime/runtime.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { Feeds, type WorkerFeed } from './feeds.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { type Logger, silentLogger } from './logger.ts';
import { prometheusPage } from './prometheus.ts';
import { Readiness } from './readiness.ts';
import { ReleaseStack } from './release-stack.ts';
import { reportTopics } from './report-topics.ts';
import { type AuditLog, auditLog, reportHealth, reportMetrics } from './reporters.ts';
import type { Ticker } from '../runtime/ticker.ts';
import { tellTopicDrift } from './topic-drift.ts';
import type { WorkerOptions } from './worker-options.ts';
import { whileOwner } from './while-owner.ts';
import { steadyNow } from '../core/steady-clock.ts';
import { type ReadSeries, runtimeSeries } from '../runtime/runtime-series.ts';

/**
 * Runs pipelines on a bus, with their feeds, health, metrics and reports, until the signal aborts; then stops in
 * order: not ready any more, feeds end, pipelines drain in the order of the data and commit, the bus stops.
 * Never rejects: what goes wrong is logged, everything is released, and the exit code tells.
 *
 * @returns the code for the process to end with, see {@link exitCodes}
 *
 * @example
 * const shutdown = listenForShutdown(process);
 * process.exitCode = await runWorker({ name: 'main', pipelines, bus, signal: shutdown.signal });
 */
export async function runWorker(options: WorkerOptions): Promise<ExitCode> {
  const logger = options.logger ?? silentLogger;
  const worker = new Worker(options, logger);
  let code: ExitCode;
  try {
    await worker.start();
    code = await worker.untilStopped();
  } catch (error) {
    code = exitCodeOf(error);
    // Where in our code it was matters only of what nobody foresaw.
    const where = code === exitCodes.badInput ? {} : { err: error };
    logger.error({ worker: options.name, reason: reasonOf(error), ...where }, 'worker failed');
  }
  const failed = await worker.release();
  return code === exitCodes.ok && failed ? exitCodes.failure : code;
}

/** How long a bus that takes nothing may hold up the end with the last reports, ms. */
const lastReportMs = 2_000;

class Worker {
  readonly #options: WorkerOptions;
  readonly #logger: Logger;
  readonly #scheduler: SchedulerLike;
  readonly #runtime: Runtime;
  readonly #readiness: Readiness;
  readonly #series: ReadSeries;
  readonly #feeds: Feeds;
  readonly #audit: AuditLog;
  readonly #held = new ReleaseStack();
  #tickers: readonly Ticker[] = [];

  constructor(options: WorkerOptions, logger: Logger) {
    const { pipelines, bus, scheduler = asyncScheduler } = options;
    this.#options = options;
    this.#logger = logger;
    this.#scheduler = scheduler;
    this.#runtime = new Runtime(pipelines, bus, {
      ...options,
      worker: options.name,
      scheduler,
      report: event => this.#log(event),
    });
    this.#feeds = new Feeds(options.feeds ?? [], scheduler, logger, feed => ownedFeed(feed, bus));
    this.#readiness = new Readiness({
      ...options,
      runtime: this.#runtime,
      scheduler,
      problems: () => this.#feeds.problems,
    });
    const ofRuntime = runtimeSeries(this.#runtime, scheduler);
    this.#series = async () => [...(await ofRuntime()), ...this.#feeds.series];
    this.#audit = auditLog(this.#reporting('audit log'));
  }

  /** Health is served first, so that who waits for readiness can see the start. */
  async start(): Promise<void> {
    const { bus, topics = [], signal, release = [] } = this.#options;
    const http = await this.#serve();
    this.#held.add('bus', () => bus.stop());
    await bus.start();
    const created: string[] = [];
    for (const spec of [...topics, ...reportTopics]) {
      if (await ensureTopic(bus, spec)) created.push(spec.name);
    }
    for (const warning of (await bus.health()).warnings ?? []) {
      this.#logger.warn({ reason: warning }, 'the bus is other than was asked for');
    }
    for (const topic of created) await this.#audit.record('topic-created', topic);
    release.forEach((released, i) => this.#held.add(`resource ${i + 1}`, released));
    this.#held.add('pipelines', () => this.#runtime.stop());
    await this.#runtime.start();
    if (signal.aborted) return;
    this.#startReporting();
    this.#held.add('feeds', () => this.#stopFeeds());
    this.#feeds.start();
    this.#readiness.phase = 'running';
    await this.#tellStarted(http);
    // In the background, as it asks for everything about every topic.
    void tellTopicDrift(bus, topics, this.#logger, signal);
  }

  async untilStopped(): Promise<ExitCode> {
    await aborted(this.#options.signal);
    const { drainDeadlineMs = 30_000, name } = this.#options;
    const until = steadyNow(this.#scheduler) + drainDeadlineMs;
    const left = (): number => Math.max(0, until - steadyNow(this.#scheduler));
    this.#readiness.phase = 'draining';
    this.#logger.info({ worker: name, drainDeadlineMs }, 'stopping');
    const feedsEnded = await this.#stopFeeds(left());
    const drained = await this.#runtime.drain(left());
    for (const each of drained) this.#tellDrained(each);
    await this.#stopReporting();
    if (!feedsEnded) this.#logger.warn({ worker: name }, 'the feeds did not end by the drain deadline');
    const isLate = !feedsEnded || drained.some(isUnfinished);
    return isLate ? exitCodes.drainDeadline : exitCodes.ok;
  }

  /** Whether anything failed meanwhile. */
  async release(): Promise<boolean> {
    const failed = await this.#held.release();
    for (const { what, error } of failed)
      this.#logger.error({ what, reason: reasonOf(error) }, 'not released');
    this.#logger.info({ worker: this.#options.name }, 'stopped');
    return failed.length > 0;
  }

  async #serve(): Promise<HttpServer> {
    const http = await startHttpServer({
      ...this.#options.http,
      ready: () => this.#readiness.report(),
      metrics: prometheusPage(this.#series),
      failed: (path, error) => this.#logger.error({ path, reason: reasonOf(error) }, 'request failed'),
    });
    this.#held.add('http', () => http.stop());
    this.#logger.info({ url: http.url }, 'health and metrics are served');
    this.#options.serving?.(http);
    return http;
  }

  async #tellStarted(http: HttpServer): Promise<void> {
    const { name, bus, pipelines, started } = this.#options;
    const running = { name, bus, runtime: this.#runtime, http, audit: this.#audit };
    await this.#audit.record('worker-started', name, { pipelines: pipelines.map(p => p.name).join(', ') });
    this.#logger.info({ worker: name, pipelines: pipelines.map(p => p.name) }, 'started');
    await started?.(running);
  }

  #tellDrained(drained: Drained): void {
    const { pipeline, reason: end, left, oldest, problem } = drained;
    if (end === 'finished' && problem === undefined) return;
    const isWell = end === 'later' && problem === undefined;
    this.#logger[isWell ? 'info' : 'warn']({ pipeline, end, left, oldest, problem }, drainedText(drained));
  }

  #startReporting(): void {
    const { reportIntervalMs: intervalMs = 10_000 } = this.#options;
    if (intervalMs === false) return;
    this.#tickers = [
      reportMetrics(this.#series, this.#reporting('metrics', intervalMs)),
      reportHealth(() => this.#readiness.report(), this.#reporting('health', intervalMs)),
    ];
    this.#held.add('reports', () =>
      inTime(this.#stopTickers(), lastReportMs, this.#scheduler, () => undefined),
    );
  }

  /** The last numbers are those of the end. */
  async #stopReporting(): Promise<void> {
    const last = async (): Promise<void> => {
      await Promise.all(this.#tickers.map(ticker => ticker.tick()));
      await this.#audit.record('worker-stopped', this.#options.name);
    };
    await inTime(last(), lastReportMs, this.#scheduler, () => undefined);
  }

  #stopTickers(): Promise<unknown> {
    return Promise.all(this.#tickers.map(ticker => ticker.stop()));
  }

  /** Whether they have ended in time. */
  #stopFeeds(deadlineMs = 1_000): Promise<boolean> {
    const ended = this.#feeds.stop().then(() => true);
    return inTime(ended, deadlineMs, this.#scheduler, () => false);
  }

  #reporting(what: string, intervalMs?: number): Parameters<typeof auditLog>[0] {
    const { name, bus } = this.#options;
    return {
      name,
      bus,
      scheduler: this.#scheduler,
      ...(intervalMs !== undefined && { intervalMs }),
      failed: error => this.#logger.warn({ reason: reasonOf(error) }, `${what} not reported`),
    };
  }

  #log(event: PipelineEvent): void {
    const { kind, pipeline } = event;
    switch (event.kind) {
      case 'started':
      case 'stopped':
        return this.#logger.info({ pipeline }, `pipeline ${kind}`);
      case 'failed':
        return this.#logger.error(
          { pipeline, reason: event.reason, retryInMs: event.retryInMs },
          'pipeline failed',
        );
      case 'lost':
        return this.#logger.error({ pipeline, reason: event.reason }, 'delivery lost');
      case 'given-up':
        return this.#logger.info(
          { pipeline, partitions: event.partitions, repeated: event.repeated },
          'partitions went to others',
        );
      case 'waiting':
        return this.#logger.warn(
          { pipeline, stage: event.stage, reason: event.reason },
          'the bus refuses: the pipeline waits and tries again',
        );
      case 'circuit':
        return this.#circuitChanged(pipeline, event.change);
      case 'going-on':
        return this.#logger.info({ pipeline, stage: event.stage }, 'the pipeline goes on');
    }
  }

  #circuitChanged(pipeline: string, { stage, from, to, reason }: CircuitChange): void {
    const level = to === 'open' ? 'warn' : 'info';
    this.#logger[level]({ pipeline, stage, from, to, reason }, `circuit ${to}`);
    void this.#audit.record('circuit-changed', `${pipeline}/${stage}`, { from, to, reason });
  }
}

/** Whether something of it is left that nobody meant to leave. */
function isUnfinished({ reason, problem }: Drained): boolean {
  return reason === 'deadline' || (reason === 'not-running' && problem !== undefined);
}

/** Where several processes share a bus, one of them runs the feed. */
function ownedFeed(feed: WorkerFeed, bus: EventBus): WorkerFeed {
  const { name, run, ownedBy } = feed;
  if (ownedBy === undefined || !bus.capabilities.multiProcess) return feed;
  const ownership = { topic: ownedBy, group: `feed-${name}` };
  return { name, run: signal => whileOwner(bus, ownership, signal, run) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
