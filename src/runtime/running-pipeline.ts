import {
  type Observable,
  type SchedulerLike,
  Subject,
  Subscription,
  combineLatest,
  defer,
  map,
  merge,
  of,
  startWith,
  tap,
} from 'rxjs';
import { deadLetter } from '../../operators/dead-letter.ts';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import { requireCapability } from '../bus/capabilities.ts';
import type {
  EventBus,
  PartitionLifecycle,
  SourceOptions,
  StartOffset,
  TopicPartition,
} from '../bus/event-bus.ts';
import { type Delivery, settlement } from '../core/delivery.ts';
import { reasonOf } from '../core/failure.ts';
import type { BusError } from '../core/publisher.ts';
import { stagesOf } from '../core/stage.ts';
import { type Bytes, type Message, offset } from '../core/message.ts';
import { ackedFirst } from './at-most-once.ts';
import { settledBy, snapshotBy } from './drain.ts';
import { passByPolicy } from './failure-policy.ts';
import { HandlingTime } from './handling-time.ts';
import type { Pipeline, PipelineContext, PipelineOptions } from './pipeline.ts';
import { PipelineMetrics } from './pipeline-metrics.ts';
import { PipelineProgress } from './pipeline-progress.ts';
import { PipelineState } from './pipeline-state.ts';
import type { PipelineEvent, PipelinePhase, PipelineStatus } from './pipeline-status.ts';
import { RestartBackoff } from './restart-backoff.ts';
import type { SeriesMeter } from './series.ts';
import { changelogOf } from './snapshot-format.ts';
import { type Progress, type SnapshotOptions, Snapshots } from './snapshots.ts';
import { nothingStored, readStoredState } from './stored-state.ts';
import { Watermarks } from './watermarks.ts';

export interface RunOptions extends SnapshotOptions {
  readonly scheduler: SchedulerLike;
  readonly meter: SeriesMeter;
  /** Names this process in dead letters. */
  readonly worker: string;
  /** Told what happens that people should know; the edge writes it to the log. */
  readonly report: (event: PipelineEvent) => void;
}

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
  #progress = new PipelineProgress();
  #state: PipelineState;
  #snapshots: Snapshots;
  #watermarks: Watermarks;
  #chain = new Subscription();
  #restartTimer = new Subscription();
  #phase: PipelinePhase = 'starting';
  #restarts = 0;
  readonly #backoff = new RestartBackoff();
  #problem: string | undefined;
  /** Stages that wait because the bus refuses what they send, each with the reason. */
  readonly #held = new Map<string, string>();
  /** The names of the chain's operators, in order. */
  #stages: readonly string[] = [];

  constructor(pipeline: Pipeline, bus: EventBus, options: RunOptions) {
    this.pipeline = pipeline;
    this.#bus = bus;
    this.#options = options;
    this.#metrics = new PipelineMetrics(pipeline.name, options.meter, () => this.#progress.inFlight);
    this.#state = new PipelineState(pipeline.name);
    this.#watermarks = this.#newWatermarks();
    this.#snapshots = this.#newSnapshots();
  }

  /** @throws BusError `unsupported-capability` where the backend lacks what the pipeline needs */
  check(): void {
    const { needs = [], guarantee } = this.pipeline.options;
    const who = `pipeline ${this.pipeline.name}`;
    for (const capability of needs) requireCapability(this.#bus, capability, who);
    if (guarantee === 'exactly-once') requireCapability(this.#bus, 'transactions', `${who} (exactly-once)`);
  }

  start(): void {
    this.#begin();
  }

  /** The topics that the chain reads and publishes to, known once it is built. */
  get topics(): { readonly inputs: ReadonlySet<string>; readonly outputs: ReadonlySet<string> } {
    return { inputs: this.#inputs, outputs: this.#outputs };
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** @param ends the offset that the next message of a partition will get */
  status(ends: (partition: TopicPartition) => number): PipelineStatus {
    return {
      name: this.pipeline.name,
      phase: this.#phase,
      ...this.#metrics.counts,
      inFlight: this.#progress.inFlight,
      lag: this.#progress.lag(ends),
      watermark: this.#watermarks.current,
      eventTime: this.#progress.eventTime,
      restarts: this.#restarts,
      problem: this.#problem ?? this.#waits ?? this.#snapshots.problem,
      stuckAt: this.#progress.stuckAt,
      snapshots: this.#snapshots.count,
      keys: this.#state.sizes,
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
      const inFlight = (): number => this.#progress.inFlight;
      await settledBy(until, scheduler, inFlight, () => this.#metrics.joinWaiting > 0);
      // State that reflects more than is settled must not be stored.
      if (inFlight() === 0) await snapshotBy(until, scheduler, this.#snapshots);
    }
    this.stop();
  }

  /** Ends at once: what is in flight comes again at the next start. */
  stop(): void {
    if (this.#phase === 'stopped') return;
    this.#phase = 'stopped';
    this.#restartTimer.unsubscribe();
    this.#snapshots.stop();
    this.#watermarks.stop();
    this.#chain.unsubscribe();
    this.#metrics.close();
    this.#options.report({ kind: 'stopped', pipeline: this.pipeline.name });
  }

  #begin(): void {
    this.#backoff.began(this.#options.scheduler.now());
    this.#state = new PipelineState(this.pipeline.name);
    this.#watermarks = this.#newWatermarks();
    this.#snapshots = this.#newSnapshots();
    this.#progress = new PipelineProgress();
    this.#held.clear();
    const chain = new Subscription();
    this.#chain = chain;
    const broke = (error: unknown): void => this.#broke(error);
    const run = (): void => {
      const chain$ = this.pipeline.build(this.#context());
      this.#stages = stagesOf(chain$);
      this.#phase = 'running';
      this.#problem = undefined;
      this.#snapshots.start();
      this.#options.report({ kind: 'started', pipeline: this.pipeline.name });
      chain.add(
        chain$.subscribe({
          next: delivery => delivery[settlement].ack(),
          error: broke,
          complete: () => this.stop(),
        }),
      );
    };
    chain.add(this.#restored().pipe(tap(run)).subscribe({ error: broke }));
  }

  /** State is read before the chain is built, for operators ask for theirs when they are subscribed to. */
  #restored(): Observable<unknown> {
    return defer(() => {
      const stored$ = hasTopic(this.#bus, changelogOf(this.pipeline.name).name)
        ? readStoredState(this.#bus, this.pipeline.name)
        : of(nothingStored);
      return stored$.pipe(
        tap(stored => {
          this.#state.restore(stored);
          this.#watermarks.restore(this.#state.storedMarks);
        }),
      );
    });
  }

  #broke(error: unknown): void {
    this.#snapshots.stop();
    this.#watermarks.stop();
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
      state: this.#state,
      source: (topic, sourceOptions) => this.#source(topic.name, sourceOptions),
      table: topic => this.#bus.source(topic.name, { maxInFlight: 4096 }),
      onFailure: deadLetterOptions => {
        const policy = options.onFailure ?? 'dead-letter';
        return policy === 'dead-letter'
          ? deadLetter(publisher, { meter, scheduler, ...deadLetterOptions })
          : passByPolicy(policy, meter);
      },
    };
  }

  #source(
    topic: string,
    options: Pick<SourceOptions, 'maxInFlight' | 'from'> = {},
  ): Observable<Delivery<Bytes>> {
    this.#inputs.add(topic);
    const { group = this.pipeline.name, guarantee } = this.pipeline.options;
    const source = this.#bus.source(topic, {
      ...boundsOf(this.pipeline.options),
      ...options,
      group,
      lifecycle: this.#lifecycle(),
      pause$: combineLatest([this.#draining$.pipe(startWith(false)), this.#snapshots.pause$]).pipe(
        map(([draining, snapshotting]) => draining || snapshotting),
      ),
      commit$: merge(this.#snapshots.stored$, this.#watermarks.stored$),
      onLost: lost => {
        const place = `${lost.topic}[${lost.partition}]@${lost.offset} key ${lost.key ?? 'none'}`;
        const reason = `the delivery ${place} was thrown away unsettled: filter inside each(), or with filterValues()`;
        this.#options.report({ kind: 'lost', pipeline: this.pipeline.name, reason });
      },
    });
    return source.pipe(
      map(delivery => {
        this.#see(delivery.message);
        return guarantee === 'at-most-once' ? ackedFirst(delivery) : delivery;
      }),
    );
  }

  #see(message: Message): void {
    if (message.payload !== null) this.#metrics.consumed.add();
    this.#progress.see(message);
    this.handling.delivered(message);
    this.#watermarks.see(message);
  }

  #lifecycle(): PartitionLifecycle {
    return {
      assigned: partitions => {
        this.#watermarks.assign(partitions);
        return of(this.#startOffsets(partitions));
      },
      revoked: partitions => {
        for (const { topic, partition } of partitions) {
          this.#progress.revoke({ topic, partition });
          this.#watermarks.revoke({ topic, partition });
          this.handling.revoke(topic, partition);
        }
      },
      pressed: () => this.#snapshots.take(),
      commitLimit: ({ topic, partition }) =>
        this.#snapshots.limitOf(topic, partition) ?? this.#watermarks.limitOf(topic, partition),
      settled: (topic, partition, upTo) => {
        this.#progress.settled(topic, partition, upTo);
        this.handling.settled(topic, partition, upTo);
        this.#watermarks.settled(topic, partition, upTo);
        this.#snapshots.settled();
      },
    };
  }

  /** State begins where its snapshot ended; without state the group's committed offset says where. */
  #startOffsets(partitions: readonly TopicPartition[]): StartOffset[] {
    const stored = this.#state.storedOffsets;
    return partitions.flatMap(({ topic, partition }) => {
      const at = stored[`${topic}/${partition}`];
      return at === undefined ? [] : [{ topic, partition, offset: offset(at) }];
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
    return undefined;
  }

  get #joinsFirst(): boolean {
    const places = (names: Iterable<string>): number[] => [...names].map(name => this.#stages.indexOf(name));
    const lastJoin = Math.max(...places(this.#metrics.joins));
    return places(this.#state.sizes.keys()).every(place => place > lastJoin);
  }

  #newWatermarks(): Watermarks {
    const { watermarkDelayMs = 0 } = this.pipeline.options;
    const { scheduler } = this.#options;
    return new Watermarks(this.#bus, { outputs: this.#outputs, delayMs: watermarkDelayMs, scheduler });
  }

  /**
   * Whether state and settled offsets agree: nothing is in flight, or all of it waits in joins that stand before
   * every operator with state. Without the second, a join that waits for data behind a full partition would
   * hold back the very commit that makes room.
   */
  get #quiet(): boolean {
    const { inFlight } = this.#progress;
    return inFlight === 0 || (this.#joinsFirst && inFlight === this.#metrics.joinWaiting);
  }

  #newSnapshots(): Snapshots {
    const { scheduler } = this.#options;
    const look = (): Progress => ({
      quiet: this.#quiet,
      // A partition in which nothing has come since the restart stands where it was restored.
      offsets: { ...this.#state.storedOffsets, ...this.#progress.offsets },
      marks: this.#watermarks.marks,
    });
    return new Snapshots(this.#state, this.#bus, look, scheduler, this.#options);
  }
}

/** What of a pipeline's options its source is told. */
function boundsOf(options: PipelineOptions): SourceOptions {
  const { maxInFlight = 1024, maxInFlightBytes, maxUncommitted, commitIntervalMs } = options;
  return {
    maxInFlight,
    ...(maxInFlightBytes !== undefined && { maxInFlightBytes }),
    ...(maxUncommitted !== undefined && { maxUncommitted }),
    ...(commitIntervalMs !== undefined && { commitIntervalMs }),
  };
}

function hasTopic(bus: EventBus, topic: string): boolean {
  try {
    return bus.partitionsOf(topic) > 0;
  } catch {
    return false;
  }
}
