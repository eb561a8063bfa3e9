import {
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
  combineLatest,
  concatMap,
  defer,
  filter,
  map,
  merge,
  startWith,
} from 'rxjs';
import { dedupe } from '../../operators/dedupe.ts';
import type {
  EventBus,
  PartitionLifecycle,
  SourceLoad,
  SourceOptions,
  TopicPartition,
} from '../bus/event-bus.ts';
import { placeName } from '../bus/partition-name.ts';
import type { TransactionSession } from '../bus/transactions.ts';
import type { Delivery } from '../core/delivery.ts';
import type { Bytes, Message } from '../core/message.ts';
import { historyHeaders } from '../core/message-history.ts';
import type { Publisher } from '../core/publisher.ts';
import { sourceStage } from '../core/stage.ts';
import { addressedTo } from './addressed.ts';
import { ackedFirst } from './at-most-once.ts';
import { type TakeMarker, combinedMarkers } from './combined-markers.ts';
import { ChainStages } from './chain-stages.ts';
import { type HandoverHost, handOver } from './handover.ts';
import type { HandlingTime } from './handling-time.ts';
import type { Pipeline, PipelineOptions } from './pipeline.ts';
import type { PipelineMetrics } from './pipeline-metrics.ts';
import { type MessagePlace, placeText } from './message-place.ts';
import { PipelineProgress } from './pipeline-progress.ts';
import { PipelineState } from './pipeline-state.ts';
import type { PipelineEvent } from './pipeline-status.ts';
import type { SeriesMeter } from './series.ts';
import { type SnapshotOptions, Snapshots } from './snapshots.ts';
import type { Progress, StateCommits } from './state-commits.ts';
import { ProgressWatch, defaultStalledAfterMs, stalledText } from './progress-watch.ts';
import { StateLoader } from './state-loader.ts';
import { StateUnits } from './state-units.ts';
import { StoredAttempts } from './stored-attempts.ts';
import { readDecidedUnit, readStoredUnit } from './stored-state.ts';
import { TransactionLoop } from './transaction-loop.ts';
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
  /** Whether it is known what the chain waits for. */
  readonly isHeldUp: () => boolean;
  /** By which everything becomes visible together, where the pipeline promises that. */
  readonly session: (() => TransactionSession) | undefined;
  /** The run cannot go on. */
  readonly broke: (error: unknown) => void;
}

/** What a pipeline knows from one start of its chain to the next: state, progress, watermarks, snapshots. */
export class PipelineRun {
  readonly state: PipelineState;
  readonly progress: PipelineProgress = new PipelineProgress();
  readonly watermarks: Watermarks;
  readonly snapshots: StateCommits;
  /** Takes all that the pipeline sends but the attempts, which are true even of what is taken back. */
  readonly publisher: Publisher;
  readonly attempts: StoredAttempts;
  readonly units: StateLoader;
  readonly #host: RunHost;
  #chain: ChainStages | undefined;
  /** What its build was given. */
  readonly #given = new Set<Observable<unknown>>();
  readonly #sources: SourceLoad[] = [];
  readonly #watch: ProgressWatch | undefined;
  /** Where it is remembered what was redriven: true at any time, because the first of a redrive is known again. */
  readonly #redriven = new Set<string>();

  constructor(host: RunHost) {
    const { pipeline, bus, options, inputs, outputs } = host;
    const { scheduler } = options;
    const { watermarkDelayMs, members = 'many' } = pipeline.options;
    this.#host = host;
    const units = new StateUnits(members);
    this.attempts = new StoredAttempts(bus, pipeline.name, units, scheduler, () => this.progress.offsets);
    // Where others may take partitions over, how far their markers have come is told by nothing else.
    const { multiProcess } = bus.capabilities;
    this.state = new PipelineState(
      pipeline.name,
      units,
      this.attempts,
      multiProcess,
      host.session !== undefined,
    );
    const read = host.session ? readDecidedUnit : readStoredUnit;
    const { meter, worker } = options;
    const { standbyBytes: maxBytes } = pipeline.options;
    const loading = { pipeline: pipeline.name, bus, scheduler, meter, worker, maxBytes };
    this.units = new StateLoader(loading, units, this.state, inputs, read);
    const loop = host.session && this.#loopOf(host, host.session);
    this.publisher = loop?.publisher ?? bus;
    this.watermarks = new Watermarks(this.publisher, {
      inputs,
      outputs,
      delayMs: () => watermarkDelayMs ?? this.#chain?.behindMs ?? 0,
      scheduler,
    });
    this.snapshots = loop ?? new Snapshots(this.state, bus, () => this.#look(), scheduler, options);
    this.#watch = this.#watchOf(host);
  }

  #watchOf({ pipeline, options, metrics, isHeldUp, broke }: RunHost): ProgressWatch | undefined {
    const { stalledAfterMs = defaultStalledAfterMs } = pipeline.options;
    if (stalledAfterMs === false) return undefined;
    const watched = {
      unsettled: () => this.unsettled,
      waiting: () => ({
        forData: metrics.joinWaiting,
        forTime: metrics.waitingForLater - metrics.joinWaiting,
      }),
      retried: () => metrics.counts.retried,
      isHeldUp: () => isHeldUp() || metrics.retryWaiting > 0,
    };
    return new ProgressWatch(stalledAfterMs, options.scheduler, watched, () =>
      broke(new Error(stalledText(stalledAfterMs, this.unsettled, this.progress.oldest))),
    );
  }

  #loopOf({ pipeline, options, broke }: RunHost, session: () => TransactionSession): TransactionLoop {
    const { scheduler } = options;
    const progress = (): Progress => this.#look();
    return new TransactionLoop({ session, state: this.state, progress, scheduler, broke }, pipeline.options);
  }

  start(chain$: Observable<unknown>): void {
    this.#chain = new ChainStages(chain$, this.#given);
    this.snapshots.start();
    this.units.standBy();
  }

  /** What waits for the other side of a join may go on now. */
  tableMoved(): void {
    this.#watch?.moved();
  }

  /** Takes no more, and finishes what it has: whoever asks for that says how long it may take. */
  drain(): void {
    this.#watch?.stop();
  }

  stop(): void {
    this.#watch?.stop();
    this.snapshots.stop();
    this.watermarks.stop();
    this.attempts.stop();
    this.units.stop();
  }

  /** The pipeline's input: what is addressed to others is acked and not seen. */
  source(
    topic: string,
    options: Pick<SourceOptions, 'maxInFlight' | 'from'> = {},
  ): Observable<Delivery<Bytes>> {
    const { pipeline, bus, draining$, session } = this.#host;
    const { group = pipeline.name, guarantee, members } = pipeline.options;
    const source = bus.source(topic, {
      ...boundsOf(pipeline.options),
      ...options,
      group,
      exclusive: members === 'one',
      ...(session && { transaction: session() }),
      lifecycle: this.#lifecycle(),
      pause$: combineLatest([draining$.pipe(startWith(false)), this.snapshots.pause$]).pipe(
        map(([draining, snapshotting]) => draining || snapshotting),
      ),
      commit$: merge(this.snapshots.stored$, this.watermarks.stored$),
      onLost: lost => this.#lost(lost),
    });
    const take: TakeMarker = (message, marker, isAgain) => this.watermarks.see(message, marker, isAgain);
    const given$ = source.pipe(
      map(delivery => {
        // Before anything is acked: what is settled must have been seen.
        this.#see(delivery.message);
        const combined = combinedMarkers(delivery, take);
        const taken = combined && guarantee === 'at-most-once' ? ackedFirst(combined) : combined;
        return addressedTo(pipeline.name, taken);
      }),
      filter(delivery => delivery !== undefined),
      this.#onceRedriven(topic),
    );
    this.#given.add(given$);
    return given$;
  }

  /** A dead letter that is sent back twice, because nobody knew of the first time, is handled once. */
  #onceRedriven(topic: string): MonoTypeOperatorFunction<Delivery<Bytes>> {
    const { pipeline, options } = this.#host;
    const name = `redriven-${topic}`;
    this.#redriven.add(name);
    return dedupe<Bytes>({
      name,
      by: (_, { headers }) => headers.get(historyHeaders.redrive),
      maxEntries: pipeline.options.redrivenRemembered ?? defaultRedrivenRemembered,
      state: this.state,
      meter: options.meter.tagged({ pipeline: pipeline.name }),
    });
  }

  #lost(message: MessagePlace): void {
    const { pipeline, options } = this.#host;
    const place = placeText(message);
    const reason = `the delivery ${place} was thrown away unsettled: filter inside each(), or with filterValues()`;
    options.report({ kind: 'lost', pipeline: pipeline.name, reason });
  }

  #see(message: Message): void {
    const { metrics, handling } = this.#host;
    this.progress.see(message);
    this.#watch?.delivered();
    if (message.payload === null) return;
    metrics.consumed.add();
    handling.delivered(message);
  }

  #lifecycle(): PartitionLifecycle {
    const { handling } = this.#host;
    return {
      began: load => void this.#sources.push(load),
      assigned: partitions => {
        for (const { topic, partition } of partitions) handling.revoke(topic, partition);
        const copies = this.units.copies(partitions);
        const tenure = this.units.assigned(partitions);
        return this.units.load(tenure).pipe(
          concatMap(() => this.attempts.assigned(tenure, copies)),
          map(() => {
            const { left } = tenure;
            this.units.prepared(partitions);
            this.watermarks.restore(this.state.storedMarks);
            // What has gone meanwhile would hold the watermark where it was for ever.
            this.watermarks.assign(left);
            return this.units.startOffsets(left);
          }),
        );
      },
      leaving: (partitions, withinMs) => defer(() => handOver(this.#handover, partitions, withinMs)),
      revoked: (partitions, repeated) => {
        if (repeated !== undefined) this.#tellGivenUp(partitions, repeated);
        this.attempts.revoked(partitions);
        for (const { topic, partition } of partitions) {
          this.progress.revoke({ topic, partition });
          this.snapshots.revoke({ topic, partition });
          handling.revoke(topic, partition);
        }
        this.watermarks.revoked(partitions);
        this.units.revoked(partitions);
      },
      pressed: () => this.snapshots.take(),
      commitLimit: ({ topic, partition }) =>
        this.snapshots.limitOf(topic, partition) ?? this.watermarks.limitOf(topic, partition),
      settled: (topic, partition, upTo, oldest) => {
        this.progress.settled(topic, partition, upTo, oldest);
        handling.settled(topic, partition, upTo);
        this.watermarks.settled(topic, partition, upTo);
        this.snapshots.settled();
      },
    };
  }

  #tellGivenUp(places: readonly TopicPartition[], repeated: number): void {
    const { pipeline, metrics, options } = this.#host;
    metrics.repeated.add(repeated);
    const partitions = places.map(placeName);
    options.report({ kind: 'given-up', pipeline: pipeline.name, partitions, repeated });
  }

  get #handover(): HandoverHost {
    const { metrics, options } = this.#host;
    const { progress, snapshots, attempts } = this;
    const waiting = { unsettled: () => this.unsettled, waitingForLater: () => metrics.waitingForLater };
    return { progress, snapshots, attempts, scheduler: options.scheduler, waiting };
  }

  /** Deliveries that are not settled; of what is in flight, some may be settled behind one that is not. */
  get unsettled(): number {
    return this.#sources.reduce((sum, source) => sum + source.unsettled, 0);
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
   * every operator whose state they might have changed, and what came behind it was dropped before those, too. Without
   * the second, a join that waits for data behind a full partition would hold back the very commit that makes room.
   */
  get #quiet(): boolean {
    const { metrics, session } = this.#host;
    const chain = this.#chain;
    const spread = this.#sources.reduce((sum, source) => sum + source.spread, 0);
    if (chain === undefined || spread === 0) return true;
    const keeping = [...this.state.sizes.keys()].filter(name => !this.#redriven.has(name));
    // What is committed together with outputs must not have caused some of them already.
    const effective = session ? [...keeping, ...chain.partial] : keeping;
    const until = session && !chain.areAllKnown ? -1 : chain.firstOf(effective);
    const harmless = new Set([sourceStage, ...chain.before(until)]);
    const dropped = this.#sources.reduce((sum, source) => sum + source.dropped(harmless), 0);
    const mayWait = session ? metrics.stagesThatMayWait : metrics.joins;
    const waiting = session ? metrics.waitingForLater : metrics.joinWaiting;
    return spread - dropped === waiting && mayWait.every(name => chain.isBefore(name, until));
  }
}

/** Unsettled deliveries of a pipeline that does not say how many. */
export const defaultMaxInFlight = 1024;

/** More than a redrive that is killed sends twice: it commits five times a second. */
const defaultRedrivenRemembered = 10_000;

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
