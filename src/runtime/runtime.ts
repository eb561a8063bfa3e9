import { hostname } from 'node:os';
import { type SchedulerLike, asyncScheduler } from 'rxjs';
import type { EventBus, TopicPartition } from '../bus/event-bus.ts';
import { reasonOf } from '../core/failure.ts';
import { inDataOrder } from './data-order.ts';
import type { Drained } from './drained.ts';
import { ensureTopic } from './ensure-topic.ts';
import type { Pipeline } from './pipeline.ts';
import type { PipelineEvent, PipelineStatus } from './pipeline-status.ts';
import { pushMetrics } from './push-metrics.ts';
import { checkPipeline } from './pipeline-checks.ts';
import { RunningPipeline } from './running-pipeline.ts';
import { runtimeSeries } from './runtime-series.ts';
import { type MetricsCallback, SeriesMeter } from './series.ts';
import { changelogOf } from './snapshot-format.ts';
import type { SnapshotOptions } from './snapshots.ts';
import { steadyNow } from '../core/steady-clock.ts';
import type { Ticker } from './ticker.ts';

export interface RuntimeOptions extends SnapshotOptions {
  /** The clock and timers; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  readonly meter?: SeriesMeter;
  /**
   * Told every number, with its tags, each `metricsIntervalMs`, and once more when the pipelines have drained: for
   * systems that want to be pushed to. What it throws is told as a warning of the process, and it is called again.
   */
  readonly metricsCallback?: MetricsCallback;
  /** ms; default 10 000. */
  readonly metricsIntervalMs?: number;
  /** Names this process in dead letters; default: host and process id. */
  readonly worker?: string;
  /** Told what happens that people should know. */
  readonly report?: (event: PipelineEvent) => void;
}

/** Pipelines that run on one bus. */
export class Runtime {
  readonly bus: EventBus;
  readonly meter: SeriesMeter;
  readonly #scheduler: SchedulerLike;
  readonly #running: readonly RunningPipeline[];
  readonly #options: RuntimeOptions;
  #pushing: Ticker | undefined;

  constructor(pipelines: readonly Pipeline[], bus: EventBus, options: RuntimeOptions = {}) {
    const { scheduler = asyncScheduler, meter = new SeriesMeter(), report = () => undefined } = options;
    const { worker = `${hostname()}:${process.pid}` } = options;
    this.bus = bus;
    this.meter = meter;
    this.#scheduler = scheduler;
    this.#options = options;
    this.#running = pipelines.map(
      pipeline => new RunningPipeline(pipeline, bus, { ...options, scheduler, meter, worker, report }),
    );
  }

  get pipelines(): readonly RunningPipeline[] {
    return this.#running;
  }

  /**
   * Starts all of them. What is missing is created first: the topics that they read and write, with the settings that
   * the pipelines name them with, those for what fails, and their changelogs.
   *
   * @throws PipelineBuildError where a chain cannot be made, as where an operator refuses an option: nothing has
   * started then
   * @throws OptionError for an option of a pipeline out of range
   * @throws BusError `unsupported-capability` where the backend lacks what a pipeline needs
   */
  async start(): Promise<void> {
    for (const { pipeline } of this.#running) checkPipeline(pipeline, this.bus);
    for (const running of this.#running) running.checkBuild();
    await this.#makeTopics();
    for (const { pipeline, units } of this.#running) {
      // Of a chain that cannot be built yet it is not known: its changelog is made when it can.
      if (units !== undefined) await ensureTopic(this.bus, changelogOf(pipeline.name, units));
    }
    for (const running of this.#running) running.start();
    this.#pushing = this.#push();
  }

  /** Where each stands, with what the bus knows of its lag. */
  async status(): Promise<readonly PipelineStatus[]> {
    const ends = await this.#ends();
    return this.#running.map(running =>
      running.status(({ topic, partition }: TopicPartition) => ends.get(`${topic}/${partition}`) ?? 0),
    );
  }

  /**
   * Ends all of them in the order of the data, no pipeline before those whose outputs it reads, each with what is left
   * of the deadline: it takes no more messages, finishes what it has begun, and commits.
   *
   * @returns how each ended and what it leaves for the next start, in the order in which they ended; it never rejects
   *
   * @example
   * const runtime = await run([upper], bus);
   * const drained = await runtime.drain(5_000);
   * if (drained.some(({ reason }) => reason === 'deadline')) process.exitCode = 3;
   */
  async drain(deadlineMs: number): Promise<readonly Drained[]> {
    const until = steadyNow(this.#scheduler) + deadlineMs;
    const drained: Drained[] = [];
    for (const running of inDataOrder(this.#running)) {
      drained.push(await running.drain(Math.max(0, until - steadyNow(this.#scheduler))));
    }
    await this.#pushing?.tick();
    await this.#pushing?.stop();
    return drained;
  }

  stop(): void {
    for (const running of this.#running) running.stop();
    void this.#pushing?.stop();
  }

  /** Who may read and write topics that are there need not be allowed to create any. */
  async #makeTopics(): Promise<void> {
    const there = new Set(await this.bus.listTopics());
    const specs = this.#running.flatMap(({ topicSpecs }) => topicSpecs);
    for (const spec of specs) if (!there.has(spec.name)) await ensureTopic(this.bus, spec);
  }

  #push(): Ticker | undefined {
    const { metricsCallback, metricsIntervalMs } = this.#options;
    if (metricsCallback === undefined) return undefined;
    return pushMetrics(runtimeSeries(this, this.#scheduler), metricsCallback, {
      ...(metricsIntervalMs !== undefined && { intervalMs: metricsIntervalMs }),
      scheduler: this.#scheduler,
      failed: error => process.emitWarning(`metricsCallback: ${reasonOf(error)}`, 'MetricsWarning'),
    });
  }

  async #ends(): Promise<ReadonlyMap<string, number>> {
    const topics = new Set(this.#running.flatMap(({ topics: { inputs } }) => [...inputs]));
    const ends = await Promise.all(
      [...topics].map(async topic =>
        (await this.bus.endOffsets(topic)).map((end, partition) => [`${topic}/${partition}`, end] as const),
      ),
    );
    return new Map(ends.flat());
  }
}

/**
 * Runs pipelines on a bus until they are drained or stopped. What goes wrong is told as a warning of the process
 * unless `report` takes it.
 *
 * @example
 * const runtime = await run([upper], bus);
 * await runtime.drain(5_000);
 */
export async function run(
  pipelines: readonly Pipeline[],
  bus: EventBus,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const runtime = new Runtime(pipelines, bus, { report: warnOf, ...options });
  await runtime.start();
  return runtime;
}

function warnOf(event: PipelineEvent): void {
  if (!('reason' in event)) return;
  const what = event.kind === 'waiting' ? `${event.stage} waits` : event.kind;
  process.emitWarning(`${event.pipeline}: ${what}: ${event.reason}`, 'PipelineWarning');
}
