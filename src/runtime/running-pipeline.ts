import { Subject, Subscription } from 'rxjs';
import { deadLetter } from '../../operators/dead-letter.ts';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import type { EventBus, TopicPartition } from '../bus/event-bus.ts';
import type { TransactionSession } from '../bus/transactions.ts';
import { deadLetterTopic, quarantineTopic } from '../core/dead-letter.ts';
import { type Delivery, settlement } from '../core/delivery.ts';
import { reasonOf } from '../core/failure.ts';
import { BusError, type BusErrorCode } from '../core/publisher.ts';
import type { TopicSpec } from '../core/topic.ts';
import { doneBy, settledBy } from './drain.ts';
import type { DrainEnd, Drained, Leftover } from './drained.ts';
import { passByPolicy } from './failure-policy.ts';
import { HandlingTime } from './handling-time.ts';
import { NamedTopics } from './named-topics.ts';
import { HoldUps } from './hold-ups.ts';
import { placeOf, placeText } from './message-place.ts';
import type { Pipeline, PipelineContext } from './pipeline.ts';
import { checkBuild, isExact } from './pipeline-checks.ts';
import { PipelineMetrics } from './pipeline-metrics.ts';
import { PipelineRun } from './pipeline-run.ts';
import type { PipelineState } from './pipeline-state.ts';
import { openSession } from './pipeline-session.ts';
import type { PipelinePhase, PipelineStatus } from './pipeline-status.ts';
import { RestartBackoff } from './restart-backoff.ts';
import type { RunOptions } from './run-host.ts';
import { steadyNow } from '../core/steady-clock.ts';
import { topicTable } from './topic-table.ts';

/** How long beyond the deadline of a drain its last attempts may take to be written, ms. */
const lastWriteMs = 250;

/** One pipeline on one bus: builds the chain, acks what reaches its end, restarts it when it breaks. */
export class RunningPipeline {
  readonly pipeline: Pipeline;
  readonly handling: HandlingTime = new HandlingTime();
  readonly #bus: EventBus;
  readonly #options: RunOptions;
  readonly #outputs = new Set<string>();
  readonly #inputs = new Set<string>();
  readonly #named = new NamedTopics();
  readonly #metrics: PipelineMetrics;
  readonly #draining$ = new Subject<boolean>();
  #run: PipelineRun;
  #chain = new Subscription();
  #restartTimer = new Subscription();
  #phase: PipelinePhase = 'starting';
  #restarts = 0;
  #session: TransactionSession | undefined;
  readonly #backoff = new RestartBackoff();
  #problem: string | undefined;
  readonly #holdUps: HoldUps;
  /** Of the chain that ended last. */
  #leftover: Leftover = { left: 0, oldest: undefined };
  #drained: Promise<Drained> | undefined;

  constructor(pipeline: Pipeline, bus: EventBus, options: RunOptions) {
    this.pipeline = pipeline;
    this.#bus = bus;
    this.#options = options;
    this.#holdUps = new HoldUps(pipeline.name, options.report);
    this.#metrics = new PipelineMetrics(pipeline.name, options.meter, () => this.#run.progress.inFlight);
    this.#run = this.#newRun();
  }

  /** @throws as {@link checkBuild} */
  checkBuild(): void {
    checkBuild(this.pipeline, () => this.#context());
  }

  start(): void {
    this.#begin();
  }

  /** Units of state that the pipeline has; undefined before its chain could be built. */
  get units(): number | undefined {
    return this.#run.units.count;
  }

  /** The topics that the chain reads and publishes to, known once it is built. */
  get topics(): { readonly inputs: ReadonlySet<string>; readonly outputs: ReadonlySet<string> } {
    return { inputs: this.#inputs, outputs: this.#outputs };
  }

  /** Of those, and of the topics for what fails, such as can be made. */
  get topicSpecs(): readonly TopicSpec[] {
    return this.#named.specs;
  }

  get state(): PipelineState {
    return this.#run.state;
  }

  /** @param ends the offset that the next message of a partition will get */
  status(ends: (partition: TopicPartition) => number): PipelineStatus {
    const { oldest } = this.#run.progress;
    return {
      name: this.pipeline.name,
      phase: this.#phase,
      ...this.#metrics.counts,
      inFlight: this.#run.progress.inFlight,
      lag: this.#run.progress.lag(ends),
      watermark: this.#run.watermarks.current,
      eventTime: this.#run.progress.eventTime,
      restarts: this.#restarts,
      problem: this.#problem ?? this.#holdUps.problem ?? this.#run.snapshots.problem,
      stuckAt: oldest && placeText(oldest),
      circuits: this.#holdUps.circuits,
      circuitOpenings: this.#holdUps.openings,
      snapshots: this.#run.snapshots.count,
      keys: this.#run.state.sizes,
    };
  }

  /**
   * Takes no more messages, waits until what is in flight is settled or the deadline has passed, stores state and
   * attempts, and ends. Asked again it answers the same.
   *
   * @returns how it ended and what is left; it never rejects
   */
  drain(deadlineMs: number): Promise<Drained> {
    this.#drained ??= this.#drain(steadyNow(this.#options.scheduler) + deadlineMs);
    return this.#drained;
  }

  async #drain(until: number): Promise<Drained> {
    const runs = this.#phase === 'running';
    if (this.#phase !== 'stopped') this.#phase = 'draining';
    this.#restartTimer.unsubscribe();
    this.#draining$.next(true);
    this.#run.drain();
    const { reason, problem } = runs ? await this.#finish(until) : this.#notRunning();
    const closed = this.#session?.close();
    this.stop();
    await closed;
    return { pipeline: this.pipeline.name, reason, ...this.#leftover, problem };
  }

  async #finish(until: number): Promise<Pick<Drained, 'reason' | 'problem'>> {
    const { scheduler } = this.#options;
    const run = this.#run;
    const { progress, snapshots, attempts } = run;
    const end: DrainEnd = await settledBy(until, scheduler, {
      inFlight: () => progress.inFlight,
      unsettled: () => run.sources.unsettled,
      waitingForLater: () => this.#metrics.waitingForLater,
    });
    // State that reflects more than is settled must not be stored; transactions see to that themselves.
    const hasNone = progress.inFlight > 0 && !isExact(this.pipeline);
    const isStored = hasNone || (await doneBy(until, scheduler, done => snapshots.takeLast(done)));
    // Broken or stopped meanwhile.
    if (this.#chain.closed) return this.#notRunning();
    this.#endChain();
    const areWritten = await doneBy(until + lastWriteMs, scheduler, done => attempts.write(done));
    if (!isStored) {
      const why = snapshots.problem === undefined ? '' : `: ${snapshots.problem}`;
      return { reason: 'deadline', problem: `its last snapshot was not stored in time${why}` };
    }
    const unwritten = areWritten ? undefined : 'its attempts were not written in time, and are counted anew';
    return { reason: end, problem: snapshots.problem ?? unwritten };
  }

  #notRunning(): Pick<Drained, 'reason' | 'problem'> {
    return { reason: 'not-running', problem: this.#problem };
  }

  /** What a chain leaves behind is known for as long as it has its partitions. */
  #endChain(): void {
    if (this.#chain.closed) return;
    const { oldest, inFlight } = this.#run.progress;
    const waiting = this.#metrics.waitingStages;
    const stage = this.#holdUps.stage ?? (waiting.length === 1 ? waiting[0] : undefined);
    this.#leftover = { left: inFlight, oldest: oldest && { ...placeOf(oldest), ...(stage && { stage }) } };
    this.#chain.unsubscribe();
  }

  /** Ends at once: what is in flight comes again at the next start. */
  stop(): void {
    if (this.#phase === 'stopped') return;
    this.#phase = 'stopped';
    this.#restartTimer.unsubscribe();
    this.#run.stop();
    this.#endChain();
    void this.#session?.close();
    this.#metrics.close();
    this.#options.report({ kind: 'stopped', pipeline: this.pipeline.name });
  }

  #begin(): void {
    this.#backoff.began(steadyNow(this.#options.scheduler));
    const newRun = this.#newRun();
    this.#run = newRun;
    this.#holdUps.clear();
    const chain = new Subscription();
    this.#chain = chain;
    const broke = (error: unknown): void => this.#broke(error);
    const run = (): void => {
      const chain$ = this.pipeline.build(this.#context());
      this.#phase = 'running';
      this.#problem = undefined;
      newRun.start(chain$);
      this.#options.report({ kind: 'started', pipeline: this.pipeline.name });
      chain.add(
        chain$.subscribe({
          next: delivery => this.#ended(delivery),
          error: broke,
          complete: () => this.stop(),
        }),
      );
    };
    try {
      run();
    } catch (error) {
      broke(error);
    }
  }

  /** The types let no failure come to the end of a chain; a program that nobody has checked them in may. */
  #ended(delivery: Delivery<unknown>): void {
    if (delivery.ok) return delivery[settlement].ack();
    const { stage, reason } = delivery.failure;
    return this.#broke(
      new Error(
        `a failure of ${stage} came to the end of the chain, where it would be lost (${reason}): end the chain with onFailure(), without which it does not pass tsc`,
      ),
    );
  }

  #broke(error: unknown): void {
    this.#run.attempts.write();
    this.#run.stop();
    this.#endChain();
    if (this.#phase === 'stopped') return;
    this.#problem = reasonOf(error);
    if (this.#phase === 'draining' || isBusError(error, 'bus-not-started')) return this.stop();
    // With `fenced` all that is wrong is that others have some of the partitions now.
    const retryInMs = isBusError(error, 'fenced')
      ? 0
      : this.#backoff.next(steadyNow(this.#options.scheduler), error);
    this.#restarts++;
    this.#phase = 'restarting';
    this.#options.report({ kind: 'failed', pipeline: this.pipeline.name, reason: this.#problem, retryInMs });
    if (this.#session) void this.#session.abort().then(() => this.#beginIn(retryInMs));
    else this.#beginIn(retryInMs);
  }

  #beginIn(retryInMs: number): void {
    if (this.#phase !== 'restarting') return;
    this.#restartTimer = this.#options.scheduler.schedule(() => this.#begin(), retryInMs);
  }

  #context(): PipelineContext {
    const { name, options } = this.pipeline;
    const meter = this.#options.meter.tagged({ pipeline: name });
    const { scheduler, worker } = this.#options;
    const publisher: NamedPublisher = {
      ...this.#metrics.counting(this.#run.publisher),
      pipeline: name,
      worker,
      announce: topic => {
        this.#outputs.add(topic.name);
        this.#named.add(topic);
      },
      held: (stage, refusal) => this.#holdUps.held(stage, refusal),
    };
    return {
      name,
      meter,
      publisher,
      scheduler,
      state: this.#run.state,
      source: (topic, sourceOptions) => {
        this.#inputs.add(topic.name);
        this.#named.add(topic);
        return this.#run.sources.open(topic.name, sourceOptions);
      },
      table: topic => {
        this.#named.add(topic);
        return topicTable(this.#bus, topic.name, this.#run.units.held$, () => this.#run.tableMoved());
      },
      circuitChanged: change => this.#holdUps.changed(change),
      onFailure: deadLetterOptions => {
        const policy = options.onFailure ?? 'dead-letter';
        if (policy !== 'dead-letter') return passByPolicy(policy, meter);
        this.#named.addForFailures(deadLetterOptions?.topic ?? deadLetterTopic);
        this.#named.addForFailures(quarantineTopic);
        return deadLetter(publisher, { meter, scheduler, ...deadLetterOptions });
      },
    };
  }

  #newRun(): PipelineRun {
    return new PipelineRun({
      pipeline: this.pipeline,
      bus: this.#bus,
      options: this.#options,
      metrics: this.#metrics,
      handling: this.handling,
      inputs: this.#inputs,
      outputs: this.#outputs,
      draining$: this.#draining$,
      isHeldUp: () => this.#holdUps.problem !== undefined || this.#run.snapshots.problem !== undefined,
      session: isExact(this.pipeline)
        ? () => (this.#session ??= openSession(this.pipeline, this.#bus, this.#options.worker))
        : undefined,
      broke: error => this.#broke(error),
    });
  }
}

function isBusError(error: unknown, code: BusErrorCode): boolean {
  return error instanceof BusError && error.code === code;
}
