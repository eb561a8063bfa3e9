import type { Observable } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import type { MarkRecord } from './snapshot-format.ts';

/** The source partitions as those see them who write state down. */
export interface Progress {
  /** Whether nothing delivered is unsettled, so that state and settled offsets agree. */
  readonly quiet: boolean;
  /** Up to where, exclusive, each partition is settled; by `topic/partition`. */
  readonly offsets: Readonly<Record<string, number>>;
  /** The last marker that each partition has passed. */
  readonly marks?: Readonly<Record<string, MarkRecord>>;
}

/** Writes a pipeline's state down, and says how far may be committed. */
export interface StateCommits {
  /** True while new messages must wait. */
  readonly pause$: Observable<boolean>;
  /** More may be committed. */
  readonly stored$: Observable<unknown>;
  /** The last problem in words; undefined once state has been written again. */
  readonly problem: string | undefined;
  /** How often state was written. */
  readonly count: number;
  start(): void;
  stop(): void;
  /** How far a partition may be committed by its source; undefined: without bound. */
  limitOf(topic: string, partition: number): number | undefined;
  /** A message more is settled. */
  settled(): void;
  /** A partition was given up. */
  revoke(partition: TopicPartition): void;
  /** Writes state as soon as nothing is in flight. */
  take(): void;
  /** The same, for all that is settled now. Calls back once it is over. */
  takeLast(done: () => void): void;
}
