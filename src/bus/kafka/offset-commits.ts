import type { PartitionLifecycle } from '../event-bus.ts';
import type { DriverMember, PartitionOffset } from './driver.ts';
import type { FetchedPartition } from './fetched-partition.ts';

/** What is known once commits have been tried. */
export type CommitOutcome = (error: unknown) => void;

/** The committed offsets of one member: those of the contiguous prefix, one request at a time. */
export class OffsetCommits {
  readonly #commit: DriverMember['commit'];
  readonly #partitions: () => readonly FetchedPartition[];
  readonly #lifecycle: PartitionLifecycle | undefined;
  readonly #outcome: CommitOutcome;
  #running: Promise<void> = Promise.resolve();

  /** @param outcome told of each commit: what made it fail, or undefined */
  constructor(
    commit: DriverMember['commit'],
    partitions: () => readonly FetchedPartition[],
    lifecycle: PartitionLifecycle | undefined,
    outcome: CommitOutcome,
  ) {
    this.#commit = commit;
    this.#partitions = partitions;
    this.#lifecycle = lifecycle;
    this.#outcome = outcome;
  }

  /** What is settled and may be committed is, after whatever is under way. */
  commit(): Promise<void> {
    // Taken now: at a rebalance the partitions may be gone when their turn comes.
    const places = this.#due();
    if (places.length === 0) return this.#running;
    this.#running = this.#running.then(() => this.#send(places));
    return this.#running;
  }

  #due(): readonly (readonly [FetchedPartition, PartitionOffset])[] {
    return this.#partitions().flatMap(partition => {
      const limit = this.#lifecycle?.commitLimit?.(partition) ?? Number.POSITIVE_INFINITY;
      const offset = Math.min(limit, partition.settledUpTo);
      if (offset <= partition.committed) return [];
      const { topic, partition: index } = partition;
      return [[partition, { topic, partition: index, offset }] as const];
    });
  }

  async #send(places: readonly (readonly [FetchedPartition, PartitionOffset])[]): Promise<void> {
    const due = places.filter(([partition, { offset }]) => offset > partition.committed);
    if (due.length === 0) return;
    try {
      await this.#commit(due.map(([, place]) => place));
      for (const [partition, { offset }] of due) partition.committed = offset;
      this.#outcome(undefined);
    } catch (error) {
      this.#outcome(error);
    }
  }
}
