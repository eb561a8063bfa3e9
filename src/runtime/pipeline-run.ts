import type { Observable } from 'rxjs';
import type { TransactionSession } from '../bus/transactions.ts';
import type { Publisher } from '../core/publisher.ts';
import { sourceStage } from '../core/stage.ts';
import { ChainStages } from './chain-stages.ts';
import { PipelineProgress } from './pipeline-progress.ts';
import { PipelineState } from './pipeline-state.ts';
import { ProgressWatch, defaultStalledAfterMs, stalledText } from './progress-watch.ts';
import type { RunHost } from './run-host.ts';
import { RunSources } from './run-sources.ts';
import { Snapshots } from './snapshots.ts';
import type { Progress, StateCommits } from './state-commits.ts';
import { StateLoader } from './state-loader.ts';
import { StateUnits } from './state-units.ts';
import { StoredAttempts } from './stored-attempts.ts';
import { readDecidedUnit, readStoredUnit } from './stored-state.ts';
import { TransactionLoop } from './transaction-loop.ts';
import { Watermarks } from './watermarks.ts';

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
  readonly sources: RunSources;
  readonly #host: RunHost;
  #chain: ChainStages | undefined;
  readonly #watch: ProgressWatch | undefined;

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
    this.sources = new RunSources(host, this, () => this.#watch?.delivered());
  }

  #watchOf({ pipeline, options, metrics, isHeldUp, broke }: RunHost): ProgressWatch | undefined {
    const { stalledAfterMs = defaultStalledAfterMs } = pipeline.options;
    if (stalledAfterMs === false) return undefined;
    const watched = {
      unsettled: () => this.sources.unsettled,
      waiting: () => ({
        forData: metrics.joinWaiting,
        forTime: metrics.waitingForLater - metrics.joinWaiting,
      }),
      retried: () => metrics.counts.retried,
      isHeldUp: () => isHeldUp() || metrics.retryWaiting > 0,
    };
    return new ProgressWatch(stalledAfterMs, options.scheduler, watched, () =>
      broke(new Error(stalledText(stalledAfterMs, this.sources.unsettled, this.progress.oldest))),
    );
  }

  #loopOf({ pipeline, options, broke }: RunHost, session: () => TransactionSession): TransactionLoop {
    const { scheduler } = options;
    const progress = (): Progress => this.#look();
    return new TransactionLoop({ session, state: this.state, progress, scheduler, broke }, pipeline.options);
  }

  start(chain$: Observable<unknown>): void {
    this.#chain = new ChainStages(chain$, this.sources.given);
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
    const { spread } = this.sources;
    if (chain === undefined || spread === 0) return true;
    const keeping = [...this.state.sizes.keys()].filter(name => !this.sources.redriven.has(name));
    // What is committed together with outputs must not have caused some of them already.
    const effective = session ? [...keeping, ...chain.partial] : keeping;
    const until = session && !chain.areAllKnown ? -1 : chain.firstOf(effective);
    const harmless = new Set([sourceStage, ...chain.before(until)]);
    const dropped = this.sources.dropped(harmless);
    const mayWait = session ? metrics.stagesThatMayWait : metrics.joins;
    const waiting = session ? metrics.waitingForLater : metrics.joinWaiting;
    return spread - dropped === waiting && mayWait.every(name => chain.isBefore(name, until));
  }
}
