import { Subject, Subscription } from 'rxjs';
import type { CircuitChange } from '../../operators/circuit.ts';
import { deadLetter } from '../../operators/dead-letter.ts';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import { requireCapability } from '../bus/capabilities.ts';
import type { EventBus, TopicPartition } from '../bus/event-bus.ts';
import { settlement } from '../core/delivery.ts';
import { reasonOf } from '../core/failure.ts';
import type { BusError } from '../core/publisher.ts';
import { OptionError } from '../core/option.ts';
import { largestGathering, stagesOf } from '../core/stage.ts';
import { addressedTo } from './addressed.ts';
import { markersCombinedAnew } from './combined-markers.ts';
import { doneBy, settledBy } from './drain.ts';
import { passByPolicy } from './failure-policy.ts';
import { HandlingTime } from './handling-time.ts';
import type { Pipeline, PipelineContext } from './pipeline.ts';
import { PipelineMetrics } from './pipeline-metrics.ts';
import { PipelineRun, type RunOptions, defaultMaxInFlight } from './pipeline-run.ts';
import type { PipelineState } from './pipeline-state.ts';
import type { PipelinePhase, PipelineStatus } from './pipeline-status.ts';
import { RestartBackoff } from './restart-backoff.ts';

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
  readonly #metrics: PipelineMetrics;
  readonly #draining$ = new Subject<boolean>();
  #run: PipelineRun;
  #chain = new Subscription();
  #restartTimer = new Subscription();
  #phase: PipelinePhase = 'starting';
  #restarts = 0;
  readonly #backoff = new RestartBackoff();
  #problem: string | undefined;
  /** Stages that wait because the bus refuses what they send, each with the reason. */
  readonly #held = new Map<string, string>();
  /** The last change of each circuit breaker. */
  readonly #circuits = new Map<string, CircuitChange>();

  constructor(pipeline: Pipeline, bus: EventBus, options: RunOptions) {
    this.pipeline = pipeline;
    this.#bus = bus;
    this.#options = options;
    this.#metrics = new PipelineMetrics(pipeline.name, options.meter, () => this.#run.progress.inFlight);
    this.#run = this.#newRun();
  }

  /** @throws BusError `unsupported-capability` where the backend lacks what the pipeline needs */
  check(): void {
    const { needs = [], guarantee } = this.pipeline.options;
    const who = `pipeline ${this.pipeline.name}`;
    for (const capability of needs) requireCapability(this.#bus, capability, who);
    if (guarantee === 'exactly-once') requireCapability(this.#bus, 'transactions', `${who} (exactly-once)`);
  }

  /** @throws OptionError where a batch is larger than what may be in flight, and so would never fill */
  checkBatches(): void {
    const { maxInFlight = defaultMaxInFlight } = this.pipeline.options;
    let largest;
    try {
      largest = largestGathering(this.pipeline.build(this.#context()));
    } catch {
      // What keeps the chain from being built is told when it is started, and tried again.
      return;
    }
    if (largest === undefined || largest.count <= maxInFlight) return;
    const option = `pipeline ${this.pipeline.name}: count of ${largest.stage}`;
    throw new OptionError(option, largest.count, `at most maxInFlight, ${maxInFlight}, or have timeMs too`);
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

  get state(): PipelineState {
    return this.#run.state;
  }

  /** @param ends the offset that the next message of a partition will get */
  status(ends: (partition: TopicPartition) => number): PipelineStatus {
    return {
      name: this.pipeline.name,
      phase: this.#phase,
      ...this.#metrics.counts,
      inFlight: this.#run.progress.inFlight,
      lag: this.#run.progress.lag(ends),
      watermark: this.#run.watermarks.current,
      eventTime: this.#run.progress.eventTime,
      restarts: this.#restarts,
      problem: this.#problem ?? this.#waits ?? this.#run.snapshots.problem,
      stuckAt: this.#run.progress.stuckAt,
      circuits: new Map([...this.#circuits].map(([stage, { to }]) => [stage, to])),
      snapshots: this.#run.snapshots.count,
      keys: this.#run.state.sizes,
    };
  }

  /** Takes no more messages, waits until what is in flight is settled or the deadline has passed, and ends. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#phase === 'stopped') return;
    const { scheduler } = this.#options;
    const until = scheduler.now() + deadlineMs;
    const runs = this.#phase === 'running';
    this.#phase = 'draining';
    this.#restartTimer.unsubscribe();
    this.#draining$.next(true);
    if (runs) {
      const inFlight = (): number => this.#run.progress.inFlight;
      await settledBy(until, scheduler, inFlight, () => this.#metrics.waitingForLater > 0);
      // State that reflects more than is settled must not be stored.
      if (inFlight() === 0) await doneBy(until, scheduler, done => this.#run.snapshots.takeLast(done));
      this.#chain.unsubscribe();
      await doneBy(until + lastWriteMs, scheduler, done => this.#run.attempts.write(done));
    }
    this.stop();
  }

  /** Ends at once: what is in flight comes again at the next start. */
  stop(): void {
    if (this.#phase === 'stopped') return;
    this.#phase = 'stopped';
    this.#restartTimer.unsubscribe();
    this.#run.stop();
    this.#chain.unsubscribe();
    this.#metrics.close();
    this.#options.report({ kind: 'stopped', pipeline: this.pipeline.name });
  }

  #begin(): void {
    this.#backoff.began(this.#options.scheduler.now());
    const newRun = this.#newRun();
    this.#run = newRun;
    this.#held.clear();
    this.#circuits.clear();
    const chain = new Subscription();
    this.#chain = chain;
    const broke = (error: unknown): void => this.#broke(error);
    const run = (): void => {
      const chain$ = this.pipeline.build(this.#context());
      this.#phase = 'running';
      this.#problem = undefined;
      newRun.start(stagesOf(chain$));
      this.#options.report({ kind: 'started', pipeline: this.pipeline.name });
      chain.add(
        chain$.subscribe({
          next: delivery => delivery[settlement].ack(),
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

  #broke(error: unknown): void {
    this.#run.attempts.write();
    this.#run.stop();
    this.#chain.unsubscribe();
    if (this.#phase === 'stopped' || this.#phase === 'draining') return;
    const retryInMs = this.#backoff.next(this.#options.scheduler.now());
    this.#restarts++;
    this.#phase = 'restarting';
    this.#problem = reasonOf(error);
    this.#options.report({ kind: 'failed', pipeline: this.pipeline.name, reason: this.#problem, retryInMs });
    this.#restartTimer = this.#options.scheduler.schedule(() => this.#begin(), retryInMs);
  }

  #context(): PipelineContext {
    const { name, options } = this.pipeline;
    const meter = this.#options.meter.tagged({ pipeline: name });
    const { scheduler, worker } = this.#options;
    const publisher: NamedPublisher = {
      ...this.#metrics.counting(this.#bus),
      pipeline: name,
      worker,
      announce: topic => this.#outputs.add(topic),
      held: (stage, refusal) => this.#hold(stage, refusal),
    };
    return {
      name,
      meter,
      publisher,
      scheduler,
      state: this.#run.state,
      source: (topic, sourceOptions) => {
        this.#inputs.add(topic.name);
        return this.#run.source(topic.name, sourceOptions);
      },
      table: topic =>
        this.#bus
          .source(topic.name, { maxInFlight: 4096 })
          .pipe(markersCombinedAnew(), addressedTo(undefined)),
      circuitChanged: change => {
        this.#circuits.set(change.stage, change);
        this.#options.report({ kind: 'circuit', pipeline: name, change });
      },
      onFailure: deadLetterOptions => {
        const policy = options.onFailure ?? 'dead-letter';
        return policy === 'dead-letter'
          ? deadLetter(publisher, { meter, scheduler, ...deadLetterOptions })
          : passByPolicy(policy, meter);
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
    });
  }

  #hold(stage: string, refusal: BusError | undefined): void {
    const { name } = this.pipeline;
    if (refusal === undefined) {
      if (this.#held.delete(stage)) this.#options.report({ kind: 'going-on', pipeline: name, stage });
      return;
    }
    if (!this.#held.has(stage)) {
      this.#options.report({ kind: 'waiting', pipeline: name, stage, reason: refusal.message });
    }
    this.#held.set(stage, refusal.message);
  }

  get #waits(): string | undefined {
    for (const [stage, reason] of this.#held) return `${stage} waits, and the pipeline with it: ${reason}`;
    for (const { stage, to, reason } of this.#circuits.values()) {
      if (to !== 'closed') return `${stage} is ${to}: ${reason}`;
    }
    return undefined;
  }
}
