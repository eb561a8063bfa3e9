import {
  type MonoTypeOperatorFunction,
  type Observable,
  combineLatest,
  concatMap,
  defer,
  filter,
  map,
  merge,
  startWith,
} from 'rxjs';
import { dedupe } from '../../operators/dedupe.ts';
import type { PartitionLifecycle, SourceLoad, SourceOptions, TopicPartition } from '../bus/event-bus.ts';
import { placeName } from '../bus/partition-name.ts';
import { defaultMaxInFlight } from '../bus/source-limits.ts';
import type { Delivery } from '../core/delivery.ts';
import { OptionError } from '../core/option.ts';
import { historyHeaders } from '../core/message-history.ts';
import type { Bytes, Message } from '../core/message.ts';
import { addressedTo } from './addressed.ts';
import { ackedFirst } from './at-most-once.ts';
import { type TakeMarker, combinedMarkers } from './combined-markers.ts';
import { type HandoverHost, handOver } from './handover.ts';
import { type MessagePlace, placeText } from './message-place.ts';
import type { PipelineProgress } from './pipeline-progress.ts';
import type { PipelineState } from './pipeline-state.ts';
import type { PipelineOptions } from './pipeline.ts';
import type { RunHost } from './run-host.ts';
import type { StateCommits } from './state-commits.ts';
import type { StateLoader } from './state-loader.ts';
import type { StoredAttempts } from './stored-attempts.ts';
import type { Watermarks } from './watermarks.ts';

/** What a run knows, and its sources keep true. */
export interface SourcedRun {
  readonly state: PipelineState;
  readonly progress: PipelineProgress;
  readonly watermarks: Watermarks;
  readonly snapshots: StateCommits;
  readonly attempts: StoredAttempts;
  readonly units: StateLoader;
}

/** The sources of a run: what comes in, and what happens to the partitions that it comes from. */
export class RunSources {
  readonly #host: RunHost;
  readonly #run: SourcedRun;
  readonly #delivered: () => void;
  /** What the chain's build was given. */
  readonly #given = new Set<Observable<unknown>>();
  readonly #loads: SourceLoad[] = [];
  readonly #topics = new Set<string>();
  /** Where it is remembered what was redriven: true at any time, because the first of a redrive is known again. */
  readonly #redriven = new Set<string>();

  /** @param delivered hears of each message */
  constructor(host: RunHost, run: SourcedRun, delivered: () => void) {
    this.#host = host;
    this.#run = run;
    this.#delivered = delivered;
  }

  get given(): ReadonlySet<Observable<unknown>> {
    return this.#given;
  }

  get redriven(): ReadonlySet<string> {
    return this.#redriven;
  }

  /** Deliveries that are not settled; of what is in flight, some may be settled behind one that is not. */
  get unsettled(): number {
    return this.#loads.reduce((sum, load) => sum + load.unsettled, 0);
  }

  /** From the oldest delivery that is not settled up to the newest. */
  get spread(): number {
    return this.#loads.reduce((sum, load) => sum + load.spread, 0);
  }

  /** Of those, the ones that were dropped at one of these stages. */
  dropped(stages: ReadonlySet<string>): number {
    return this.#loads.reduce((sum, load) => sum + load.dropped(stages), 0);
  }

  /**
   * The pipeline's input: what is addressed to others is acked and not seen.
   *
   * @throws OptionError for a second topic where workers share partitions
   */
  open(
    topic: string,
    options: Pick<SourceOptions, 'maxInFlight' | 'from'> = {},
  ): Observable<Delivery<Bytes>> {
    const { pipeline, bus, draining$, session } = this.#host;
    const { group = pipeline.name, guarantee, members } = pipeline.options;
    this.#requireOneTopic(topic);
    const source = bus.source(topic, {
      ...boundsOf(pipeline.options),
      ...options,
      group,
      exclusive: members === 'one',
      ...(session && { transaction: session() }),
      lifecycle: this.#lifecycle(),
      pause$: combineLatest([draining$.pipe(startWith(false)), this.#run.snapshots.pause$]).pipe(
        map(([draining, snapshotting]) => draining || snapshotting),
      ),
      commit$: merge(this.#run.snapshots.stored$, this.#run.watermarks.stored$),
      onLost: lost => this.#lost(lost),
    });
    const take: TakeMarker = (message, marker, isAgain) => this.#run.watermarks.see(message, marker, isAgain);
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

  /**
   * Each source is a member of the group by itself, but state belongs to a number of partition: another worker may go on
   * with it while this one still has the other topic's partition of that number.
   */
  #requireOneTopic(topic: string): void {
    const { pipeline, bus } = this.#host;
    this.#topics.add(topic);
    if (this.#topics.size === 1 || !bus.capabilities.multiProcess) return;
    throw new OptionError(
      `pipeline ${pipeline.name}: source`,
      [...this.#topics].join(' and '),
      `one topic on the ${bus.kind} backend, where workers share partitions: have pipelines write all of it to one topic, or read what is joined with table()`,
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
      maxEntries: pipeline.options.redrivenRemembered ?? defaultRedrivenRemembered,
      state: this.#run.state,
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
    this.#run.progress.see(message);
    this.#delivered();
    if (message.payload === null) return;
    metrics.consumed.add();
    handling.delivered(message);
  }

  #lifecycle(): PartitionLifecycle {
    const { handling } = this.#host;
    return {
      began: load => void this.#loads.push(load),
      assigned: partitions => {
        for (const { topic, partition } of partitions) handling.revoke(topic, partition);
        const copies = this.#run.units.copies(partitions);
        const tenure = this.#run.units.assigned(partitions);
        return this.#run.units.load(tenure).pipe(
          concatMap(() => this.#run.attempts.assigned(tenure, copies)),
          map(() => {
            const { left } = tenure;
            this.#run.units.prepared(partitions);
            this.#run.watermarks.restore(this.#run.state.storedMarks);
            // What has gone meanwhile would hold the watermark where it was for ever.
            this.#run.watermarks.assign(left);
            return this.#run.units.startOffsets(left);
          }),
        );
      },
      leaving: (partitions, withinMs) => defer(() => handOver(this.#handover, partitions, withinMs)),
      revoked: (partitions, repeated) => {
        if (repeated !== undefined) this.#tellGivenUp(partitions, repeated);
        this.#run.attempts.revoked(partitions);
        for (const { topic, partition } of partitions) {
          this.#run.progress.revoke({ topic, partition });
          this.#run.snapshots.revoke({ topic, partition });
          handling.revoke(topic, partition);
        }
        this.#run.watermarks.revoked(partitions);
        this.#run.units.revoked(partitions);
      },
      pressed: () => this.#run.snapshots.take(),
      commitLimit: ({ topic, partition }) =>
        this.#run.snapshots.limitOf(topic, partition) ?? this.#run.watermarks.limitOf(topic, partition),
      settled: (topic, partition, upTo, oldest) => {
        this.#run.progress.settled(topic, partition, upTo, oldest);
        handling.settled(topic, partition, upTo);
        this.#run.watermarks.settled(topic, partition, upTo);
        this.#run.snapshots.settled();
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
    const { progress, snapshots, attempts } = this.#run;
    const waiting = { unsettled: () => this.unsettled, waitingForLater: () => metrics.waitingForLater };
    return { progress, snapshots, attempts, scheduler: options.scheduler, waiting };
  }
}

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
