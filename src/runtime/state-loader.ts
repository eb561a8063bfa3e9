import { type Observable, concatMap, defer, forkJoin, of, tap } from 'rxjs';
import type { EventBus, StartOffset, TopicPartition } from '../bus/event-bus.ts';
import { offset } from '../core/message.ts';
import { BusError } from '../core/publisher.ts';
import { ensureTopic } from './ensure-topic.ts';
import { HeldPartitions, type Tenure } from './held-partitions.ts';
import type { PipelineState } from './pipeline-state.ts';
import { changelogOf } from './snapshot-format.ts';
import type { StateUnits } from './state-units.ts';
import type { UnitCopy } from './unit-copy.ts';
import { type StandbyHost, StandbyUnits } from './standby-units.ts';
import type { readStoredUnit } from './stored-state.ts';

/** What loading state needs of its pipeline's run. */
export type LoaderHost = Omit<StandbyHost, 'isHeld' | 'count'>;

/** Brings the state of source partitions here when they come, and forgets it when they go. */
export class StateLoader {
  readonly #pipeline: string;
  readonly #bus: EventBus;
  readonly #units: StateUnits;
  readonly #state: PipelineState;
  readonly #inputs: ReadonlySet<string>;
  readonly #read: typeof readStoredUnit;
  readonly #standby: StandbyUnits;
  readonly #held = new HeldPartitions();

  /**
   * @param inputs the topics that the pipeline reads, known once its chain is built
   * @param read reads the stored state of a unit
   */
  constructor(
    host: LoaderHost,
    units: StateUnits,
    state: PipelineState,
    inputs: ReadonlySet<string>,
    read: typeof readStoredUnit,
  ) {
    this.#pipeline = host.pipeline;
    this.#bus = host.bus;
    this.#units = units;
    this.#state = state;
    this.#inputs = inputs;
    this.#read = read;
    this.#standby = new StandbyUnits({
      ...host,
      isHeld: unit => this.#isHeld(unit),
      count: () => this.#countIfKnown,
    });
  }

  /** The numbers of the source partitions that are here, now and whenever they change. */
  get held$(): Observable<ReadonlySet<number>> {
    return this.#held.numbers$;
  }

  /** Units of state that the pipeline has; undefined before its chain is built. */
  get count(): number | undefined {
    if (this.#inputs.size === 0) return undefined;
    return this.#units.count(Math.max(...[...this.#inputs].map(topic => this.#bus.partitionsOf(topic))));
  }

  /** Partitions have come. */
  assigned(partitions: readonly TopicPartition[]): Tenure {
    const tenure = this.#held.assigned(partitions);
    this.standBy();
    return tenure;
  }

  /**
   * Reads the state of partitions that have come, before their first message; emits once.
   *
   * @throws BusError `invalid-option` where the changelog has no place for it
   */
  load(tenure: Tenure): Observable<unknown> {
    return defer(() => this.#changelogMade(tenure.partitions)).pipe(concatMap(() => this.#loaded(tenure)));
  }

  /** What is known of the units of these partitions, to be read on in while they are prepared. */
  copies(partitions: readonly TopicPartition[]): ReadonlyMap<number, UnitCopy> {
    return new Map([...this.#unitsOf(partitions)].map(unit => [unit, this.#standby.claim(unit)]));
  }

  /** The partitions are prepared: their messages come now. */
  prepared(partitions: readonly TopicPartition[]): void {
    this.#standby.release(this.#unitsOf(partitions));
  }

  revoked(partitions: readonly TopicPartition[]): void {
    this.#held.revoked(partitions);
    for (const unit of [...this.#state.loaded]) if (!this.#isHeld(unit)) this.#state.unload(unit);
    this.standBy();
  }

  /** Units that are not here are kept warm from now on, where the pipeline says so. */
  standBy(): void {
    this.#standby.changed();
  }

  stop(): void {
    this.#standby.stop();
  }

  /** State begins where its snapshot ended; without state the group's committed offset says where. */
  startOffsets(partitions: readonly TopicPartition[]): readonly StartOffset[] {
    const stored = this.#state.storedOffsets;
    return partitions.flatMap(({ topic, partition }) => {
      const at = stored[`${topic}/${partition}`];
      return at === undefined ? [] : [{ topic, partition, offset: offset(at) }];
    });
  }

  /** Emits once there is a place for the state of these partitions. */
  #changelogMade(partitions: readonly TopicPartition[]): Observable<unknown> {
    const changelog = changelogOf(this.#pipeline, this.count);
    if (!hasTopic(this.#bus, changelog.name)) return defer(() => ensureTopic(this.#bus, changelog));
    const there = this.#bus.partitionsOf(changelog.name);
    const missing = partitions.find(({ partition }) => this.#units.of(partition) >= there);
    if (missing === undefined) return of(undefined);
    const { topic, partition } = missing;
    throw new BusError(
      'invalid-option',
      `pipeline ${this.#pipeline}: ${changelog.name} has ${there} partitions and none for the state of ${topic}[${partition}]: reset the pipeline (cryptorun reset ${this.#pipeline} --dry-run shows what that removes)`,
    );
  }

  #loaded(tenure: Tenure): Observable<unknown> {
    const missing = [...this.#unitsOf(tenure.partitions)].filter(unit => !this.#state.isLoaded(unit));
    if (missing.length === 0) return of(undefined);
    return forkJoin(
      missing.map(unit =>
        this.#read(this.#bus, this.#pipeline, unit, this.#standby.claim(unit)).pipe(
          // Given up while it was read, it is not for this process to have; and others may have written since.
          tap(stored => {
            const isLeft = this.#unitsOf(tenure.left).has(unit);
            if (isLeft && !this.#state.isLoaded(unit)) this.#state.load(unit, stored);
          }),
        ),
      ),
    );
  }

  #unitsOf(partitions: readonly TopicPartition[]): ReadonlySet<number> {
    return new Set(partitions.map(({ partition }) => this.#units.of(partition)));
  }

  get #countIfKnown(): number | undefined {
    const isThere = [...this.#inputs].every(topic => hasTopic(this.#bus, topic));
    return isThere && hasTopic(this.#bus, changelogOf(this.#pipeline).name) ? this.count : undefined;
  }

  #isHeld(unit: number): boolean {
    return this.#held.some(partition => this.#units.of(partition) === unit);
  }
}

function hasTopic(bus: EventBus, topic: string): boolean {
  try {
    return bus.partitionsOf(topic) > 0;
  } catch {
    return false;
  }
}
