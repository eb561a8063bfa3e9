import { BehaviorSubject, type Observable, type SchedulerLike, Subject, Subscription } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { reasonOf } from '../core/failure.ts';
import type { OutgoingMessage } from '../core/message.ts';
import type { Publisher } from '../core/publisher.ts';
import { PartitionMap } from './partition-map.ts';
import type { PipelineState } from './pipeline-state.ts';
import type { Progress, StateCommits } from './state-commits.ts';
import type { Snapshot } from './unit-snapshots.ts';

export interface SnapshotOptions {
  /** How often, ms; default 10 000. */
  readonly snapshotIntervalMs?: number;
  /** And after so many settled messages at the latest; default 20 000. */
  readonly snapshotEvery?: number;
}

/** Told what went wrong, if anything did. */
type Told = (problem: string | undefined) => void;

/** How often to look whether everything in flight is settled, and how often at most. */
const quiesceStepMs = 5;
const quiesceSteps = 400;
/** After how long a last snapshot that was refused is tried again. */
const againMs = 100;

/**
 * Writes snapshots of a pipeline's state and lets the commit follow them. A snapshot is taken while nothing is in
 * flight, so that state and offsets agree whatever operators stand between; new messages wait for as long.
 */
export class Snapshots implements StateCommits {
  readonly #state: PipelineState;
  readonly #publisher: Publisher;
  readonly #progress: () => Progress;
  readonly #scheduler: SchedulerLike;
  readonly #options: Required<SnapshotOptions>;
  readonly #timers = new Subscription();
  readonly #paused$ = new BehaviorSubject(false);
  readonly #stored$ = new Subject<undefined>();
  /** Up to where stored snapshots cover each partition. */
  readonly #committable = new PartitionMap<number>();
  #settledSince = 0;
  #busy = false;
  #stopped = false;
  readonly #waiting: (() => void)[] = [];
  /** The last problem in words; undefined once a snapshot has been stored again. */
  problem: string | undefined;
  /** Snapshots stored. */
  count = 0;

  constructor(
    state: PipelineState,
    publisher: Publisher,
    progress: () => Progress,
    scheduler: SchedulerLike,
    options: SnapshotOptions,
  ) {
    this.#state = state;
    this.#publisher = publisher;
    this.#progress = progress;
    this.#scheduler = scheduler;
    this.#options = { snapshotIntervalMs: 10_000, snapshotEvery: 20_000, ...options };
  }

  /** True while new messages must wait. */
  get pause$(): Observable<boolean> {
    return this.#paused$;
  }

  /** A snapshot has been stored: more may be committed. */
  get stored$(): Observable<unknown> {
    return this.#stored$;
  }

  /** How far a partition may be committed; undefined: without bound, because there is no state. */
  limitOf(topic: string, partition: number): number | undefined {
    return this.#state.used ? (this.#committable.get(topic, partition) ?? 0) : undefined;
  }

  start(): void {
    const tick = (): void => {
      if (this.#settledSince > 0 || this.problem !== undefined) this.take();
      this.#timers.add(this.#scheduler.schedule(tick, this.#options.snapshotIntervalMs));
    };
    this.#timers.add(this.#scheduler.schedule(tick, this.#options.snapshotIntervalMs));
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.unsubscribe();
    for (const done of this.#waiting.splice(0)) done();
  }

  /** A partition was given up: what covers it from now on is not known here. */
  revoke({ topic, partition }: TopicPartition): void {
    this.#committable.delete(topic, partition);
  }

  /** A message more is settled. */
  settled(): void {
    if (++this.#settledSince >= this.#options.snapshotEvery) this.take();
  }

  /** Takes a snapshot as soon as nothing is in flight. */
  take(): void {
    if (this.#busy || this.#stopped || !this.#state.used) return;
    this.#busy = true;
    this.#paused$.next(true);
    this.#whenQuiet(0, () => {
      this.#write();
      this.#paused$.next(false);
    });
  }

  /**
   * Takes a snapshot of what is settled now, behind one that is being written, and again while it is refused. Calls
   * back once it is stored, or all is stopped.
   */
  takeLast(done: () => void): void {
    const isStored = this.#settledSince === 0 && !this.#busy && this.problem === undefined;
    if (!this.#state.used || this.#stopped || isStored) {
      done();
      return;
    }
    this.#waiting.push(done);
    this.take();
  }

  #whenQuiet(step: number, then: () => void): void {
    if (this.#progress().quiet) {
      then();
    } else if (step >= quiesceSteps) {
      // What is in flight waits for something: try again with the next interval.
      this.#over();
      this.#paused$.next(false);
    } else {
      this.#timers.add(this.#scheduler.schedule(() => this.#whenQuiet(step + 1, then), quiesceStepMs));
    }
  }

  /** The units' snapshots, each for itself. */
  #write(): void {
    const { offsets, marks } = this.#progress();
    this.#settledSince = 0;
    const snapshots = this.#state.capture({ offsets, ...(marks && { marks }) });
    const stored: Snapshot[] = [];
    let missing = snapshots.length;
    let problem: string | undefined;
    const done = (snapshot: Snapshot, failure: string | undefined): void => {
      if (failure === undefined) stored.push(snapshot);
      else problem = failure;
      if (--missing === 0) this.#written(stored, problem);
    };
    if (missing === 0) this.#over();
    for (const snapshot of snapshots) this.#writeOne(snapshot, failure => done(snapshot, failure));
  }

  /** The end of a snapshot is sent when all before it is stored: an unfinished one must not count. */
  #writeOne({ states, commit, lost, uncertain, stored, cleaning }: Snapshot, done: Told): void {
    this.#sendAll(states, problem => {
      if (problem !== undefined || this.#stopped) {
        lost();
        done(problem ?? 'stopped');
        return;
      }
      this.#sendAll([commit], failure => {
        if (failure === undefined) stored();
        else uncertain();
        // Nobody waits for it: what is not cleaned now is cleaned by whoever takes over next.
        if (failure === undefined) this.#sendAll(cleaning, () => undefined);
        done(failure);
      });
    });
  }

  #sendAll(messages: readonly OutgoingMessage[], done: Told): void {
    let missing = messages.length;
    let problem: string | undefined;
    if (missing === 0) done(undefined);
    for (const message of messages) {
      this.#publisher.send(message, error => {
        if (error) problem = reasonOf(error);
        if (--missing === 0) done(problem);
      });
    }
  }

  #written(stored: readonly Snapshot[], problem: string | undefined): void {
    if (this.#stopped) return;
    this.problem = problem;
    if (problem === undefined) this.count++;
    for (const { offsets } of stored) this.#committable.setAll(offsets);
    if (stored.length > 0) this.#stored$.next(undefined);
    this.#over();
  }

  /** Nothing is being written any more; who waits for a last snapshot may need one more. */
  #over(): void {
    this.#busy = false;
    if (this.#waiting.length === 0) return;
    if (this.problem !== undefined) this.#timers.add(this.#scheduler.schedule(() => this.take(), againMs));
    else if (this.#settledSince > 0 && this.#progress().quiet) this.take();
    else for (const done of this.#waiting.splice(0)) done();
  }
}
