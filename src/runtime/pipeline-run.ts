import {
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
  combineLatest,
  concatMap,
  defer,
  forkJoin,
  map,
  merge,
  of,
  startWith,
  tap,
} from 'rxjs';
import { dedupe } from '../../operators/dedupe.ts';
import type {
  EventBus,
  PartitionLifecycle,
  SourceOptions,
  StartOffset,
  TopicPartition,
} from '../bus/event-bus.ts';
import type { Delivery } from '../core/delivery.ts';
import { type Bytes, type Message, offset } from '../core/message.ts';
import { historyHeaders } from '../core/message-history.ts';
import { BusError } from '../core/publisher.ts';
import { addressedTo } from './addressed.ts';
import { ackedFirst } from './at-most-once.ts';
import { combinedMarkers } from './combined-markers.ts';
import { ensureTopic } from './ensure-topic.ts';
import type { HandlingTime } from './handling-time.ts';
import type { Pipeline, PipelineOptions } from './pipeline.ts';
import type { PipelineMetrics } from './pipeline-metrics.ts';
import { PipelineProgress } from './pipeline-progress.ts';
import { PipelineState } from './pipeline-state.ts';
import type { PipelineEvent } from './pipeline-status.ts';
import type { SeriesMeter } from './series.ts';
import { changelogOf } from './snapshot-format.ts';
import { type Progress, type SnapshotOptions, Snapshots } from './snapshots.ts';
import { StateUnits } from './state-units.ts';
import { StoredAttempts } from './stored-attempts.ts';
import { readStoredUnit } from './stored-state.ts';
import { Watermarks } from './watermarks.ts';

export interface RunOptions extends SnapshotOptions {
  readonly scheduler: SchedulerLike;
  readonly meter: SeriesMeter;
  /** Names this process in dead letters. */
  readonly worker: string;
  /** Told what happens that people should know; the edge writes it to the log. */
  readonly report: (event: PipelineEvent) => void;
}

/** What a run shares with the runs before and after it. */
export interface RunHost {
  readonly pipeline: Pipeline;
  readonly bus: EventBus;
  readonly options: RunOptions;
  readonly metrics: PipelineMetrics;
  readonly handling: HandlingTime;
  /** The topics that the chain reads, and those that it publishes to. */
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  readonly draining$: Observable<boolean>;
}

/** What a pipeline knows from one start of its chain to the next: state, progress, watermarks, snapshots. */
export class PipelineRun {
  readonly state: PipelineState;
  readonly progress: PipelineProgress = new PipelineProgress();
  readonly watermarks: Watermarks;
  readonly snapshots: Snapshots;
  readonly attempts: StoredAttempts;
  readonly #host: RunHost;
  readonly #units: StateUnits;
  /** The source partitions that are here; by `topic/partition`. */
  readonly #held = new Map<string, number>();
  /** The names of the chain's operators, in order. */
  #stages: readonly string[] = [];
  /** Where it is remembered what was redriven: true at any time, because the first of a redrive is known again. */
  readonly #redriven = new Set<string>();

  constructor(host: RunHost) {
    const { pipeline, bus, options, inputs, outputs } = host;
    const { scheduler } = options;
    const { watermarkDelayMs = 0, members = 'many' } = pipeline.options;
    this.#host = host;
    this.#units = new StateUnits(members);
    this.attempts = new StoredAttempts(
      bus,
      pipeline.name,
      this.#units,
      scheduler,
      () => this.progress.offsets,
    );
    // Where others may take partitions over, how far their markers have come is told by nothing else.
    this.state = new PipelineState(pipeline.name, this.#units, this.attempts, bus.capabilities.multiProcess);
    this.watermarks = new Watermarks(bus, { inputs, outputs, delayMs: watermarkDelayMs, scheduler });
    this.snapshots = new Snapshots(this.state, bus, () => this.#look(), scheduler, options);
  }

  /** @param stages the names of the chain's operators, in order */
  start(stages: readonly string[]): void {
    this.#stages = stages;
    this.snapshots.start();
  }

  stop(): void {
    this.snapshots.stop();
    this.watermarks.stop();
    this.attempts.stop();
  }

  /** The pipeline's input: what is addressed to others is acked and not seen. */
  source(
    topic: string,
    options: Pick<SourceOptions, 'maxInFlight' | 'from'> = {},
  ): Observable<Delivery<Bytes>> {
    const { pipeline, bus, draining$ } = this.#host;
    const { group = pipeline.name, guarantee } = pipeline.options;
    const source = bus.source(topic, {
      ...boundsOf(pipeline.options),
      ...options,
      group,
      lifecycle: this.#lifecycle(),
      pause$: combineLatest([draining$.pipe(startWith(false)), this.snapshots.pause$]).pipe(
        map(([draining, snapshotting]) => draining || snapshotting),
      ),
      commit$: merge(this.snapshots.stored$, this.watermarks.stored$),
      onLost: lost => this.#lost(lost),
    });
    return source.pipe(
      map(delivery => {
        this.#see(delivery.message);
        return guarantee === 'at-most-once' ? ackedFirst(delivery) : delivery;
      }),
      combinedMarkers((message, marker, isAgain) => this.watermarks.see(message, marker, isAgain)),
      addressedTo(pipeline.name),
      this.#onceRedriven(topic),
    );
  }

  /** A dead letter that is sent back twice, because nobody knew of the first time, is handled once. */
  #onceRedriven(topic: string): MonoTypeOperatorFunction<Delivery<Bytes>> {
    const { pipeline, options } = this.#host;
    const name = `redriven-${topic}`;
    this.#redriven.add(name);
    return dedupe<Bytes>({
      name,
      by: (_, { headers }) => headers.get(historyHeaders.redrive),
      maxEntries: 10_000,
      state: this.state,
      meter: options.meter.tagged({ pipeline: pipeline.name }),
    });
  }

  #lost({
    topic,
    partition,
    offset: at,
    key,
  }: Pick<Message, 'topic' | 'partition' | 'offset' | 'key'>): void {
    const { pipeline, options } = this.#host;
    const place = `${topic}[${partition}]@${at} key ${key ?? 'none'}`;
    const reason = `the delivery ${place} was thrown away unsettled: filter inside each(), or with filterValues()`;
    options.report({ kind: 'lost', pipeline: pipeline.name, reason });
  }

  #see(message: Message): void {
    const { metrics, handling } = this.#host;
    if (message.payload !== null) metrics.consumed.add();
    this.progress.see(message);
    handling.delivered(message);
  }

  #lifecycle(): PartitionLifecycle {
    const { handling } = this.#host;
    return {
      assigned: partitions =>
        defer(() => this.#changelogMade(partitions)).pipe(
          concatMap(() => forkJoin([this.#loaded(partitions), this.attempts.assigned(partitions)])),
          map(() => {
            this.watermarks.restore(this.state.storedMarks);
            this.watermarks.assign(partitions);
            return this.#startOffsets(partitions);
          }),
        ),
      revoked: partitions => {
        this.attempts.revoked(partitions);
        for (const { topic, partition } of partitions) {
          this.#held.delete(`${topic}/${partition}`);
          this.progress.revoke({ topic, partition });
          this.watermarks.revoke({ topic, partition });
          this.snapshots.revoke({ topic, partition });
          handling.revoke(topic, partition);
        }
        this.#unload();
      },
      pressed: () => this.snapshots.take(),
      commitLimit: ({ topic, partition }) =>
        this.snapshots.limitOf(topic, partition) ?? this.watermarks.limitOf(topic, partition),
      settled: (topic, partition, upTo) => {
        this.progress.settled(topic, partition, upTo);
        handling.settled(topic, partition, upTo);
        this.watermarks.settled(topic, partition, upTo);
        this.snapshots.settled();
      },
    };
  }

  /** Units of state that the pipeline has, known once its chain is built. */
  get units(): number {
    const { bus, inputs } = this.#host;
    return this.#units.count(Math.max(...[...inputs].map(topic => bus.partitionsOf(topic))));
  }

  /** Emits once there is a place for the state of these partitions. */
  #changelogMade(partitions: readonly TopicPartition[]): Observable<unknown> {
    const { pipeline, bus } = this.#host;
    const changelog = changelogOf(pipeline.name, this.units);
    if (!hasTopic(bus, changelog.name)) return defer(() => ensureTopic(bus, changelog));
    const there = bus.partitionsOf(changelog.name);
    const missing = partitions.find(({ partition }) => this.#units.of(partition) >= there);
    if (missing === undefined) return of(undefined);
    const { topic, partition } = missing;
    throw new BusError(
      'invalid-option',
      `pipeline ${pipeline.name}: ${changelog.name} has ${there} partitions and none for the state of ${topic}[${partition}]: reset the pipeline (cryptorun reset ${pipeline.name} --dry-run shows what that removes)`,
    );
  }

  /** Reads the state of partitions that have come, before their first message; emits once. */
  #loaded(partitions: readonly TopicPartition[]): Observable<unknown> {
    const { pipeline, bus } = this.#host;
    for (const { topic, partition } of partitions) this.#held.set(`${topic}/${partition}`, partition);
    const units = new Set(partitions.map(({ partition }) => this.#units.of(partition)));
    const missing = [...units].filter(unit => !this.state.isLoaded(unit));
    if (missing.length === 0) return of(undefined);
    return forkJoin(
      missing.map(unit =>
        readStoredUnit(bus, pipeline.name, unit).pipe(
          // Given up while it was read, it is not for this process to have.
          tap(stored => {
            if (this.#isHeld(unit) && !this.state.isLoaded(unit)) this.state.load(unit, stored);
          }),
        ),
      ),
    );
  }

  #unload(): void {
    for (const unit of [...this.state.loaded]) if (!this.#isHeld(unit)) this.state.unload(unit);
  }

  #isHeld(unit: number): boolean {
    return [...this.#held.values()].some(partition => this.#units.of(partition) === unit);
  }

  /** State begins where its snapshot ended; without state the group's committed offset says where. */
  #startOffsets(partitions: readonly TopicPartition[]): StartOffset[] {
    const stored = this.state.storedOffsets;
    return partitions.flatMap(({ topic, partition }) => {
      const at = stored[`${topic}/${partition}`];
      return at === undefined ? [] : [{ topic, partition, offset: offset(at) }];
    });
  }

  #look(): Progress {
    return {
      quiet: this.#quiet,
      // A partition in which nothing has come since the restart stands where it was restored.
      offsets: { ...this.state.storedOffsets, ...this.progress.offsets },
      marks: this.watermarks.marks,
    };
  }

  /**
   * Whether state and settled offsets agree: nothing is in flight, or all of it waits in joins that stand before
   * every operator whose state they might have changed. Without the second, a join that waits for data behind a full partition would
   * hold back the very commit that makes room.
   */
  get #quiet(): boolean {
    const { inFlight } = this.progress;
    return inFlight === 0 || (this.#joinsFirst && inFlight === this.#host.metrics.joinWaiting);
  }

  get #joinsFirst(): boolean {
    const places = (names: readonly string[]): number[] => names.map(name => this.#stages.indexOf(name));
    const lastJoin = Math.max(...places(this.#host.metrics.joins));
    const keeping = [...this.state.sizes.keys()].filter(name => !this.#redriven.has(name));
    return places(keeping).every(place => place > lastJoin);
  }
}

/** Unsettled deliveries of a pipeline that does not say how many. */
export const defaultMaxInFlight = 1024;

/** What of a pipeline's options its source is told. */
function boundsOf(options: PipelineOptions): SourceOptions {
  const { maxInFlight = defaultMaxInFlight, maxInFlightBytes, maxUncommitted, commitIntervalMs } = options;
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
