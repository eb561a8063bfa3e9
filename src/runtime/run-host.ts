import type { Observable, SchedulerLike } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { TransactionSession } from '../bus/transactions.ts';
import type { HandlingTime } from './handling-time.ts';
import type { PipelineMetrics } from './pipeline-metrics.ts';
import type { PipelineEvent } from './pipeline-status.ts';
import type { Pipeline } from './pipeline.ts';
import type { SeriesMeter } from './series.ts';
import type { SnapshotOptions } from './snapshots.ts';

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
