import { BusError } from '../../../core/publisher.ts';
import type { PartitionLifecycle, TopicPartition } from '../../event-bus.ts';
import type { DriverMember, MemberIdentity, PartitionOffset } from '../driver.ts';

/** A partition of which is known how far it is done, and how far that is committed. */
export interface CommittedPartition extends TopicPartition {
  readonly settledUpTo: number;
  committed: number;
}

/** What is known once commits have been tried. */
export type CommitOutcome = (error: unknown) => void;

const outOfGroup = 'committing offsets: the member is out of its group for now: commit again once it is back';

/** Whoever commits. */
type Committer = Pick<DriverMember, 'identity' | 'commit'>;

/** The committed offsets of one member: those of the contiguous prefix, one request at a time. */
export class OffsetCommits {
  readonly #member: () => Committer | undefined;
  readonly #partitions: () => readonly CommittedPartition[];
  readonly #lifecycle: PartitionLifecycle | undefined;
  readonly #outcome: CommitOutcome;
  #running: Promise<void> = Promise.resolve();

  /**
   * @param member undefined while it is out of its group
   * @param outcome told of each commit: what made it fail, or undefined
   */
  constructor(
    member: () => Committer | undefined,
    partitions: () => readonly CommittedPartition[],
    lifecycle: PartitionLifecycle | undefined,
    outcome: CommitOutcome,
  ) {
    this.#member = member;
    this.#partitions = partitions;
    this.#lifecycle = lifecycle;
    this.#outcome = outcome;
  }

  /** What is settled and may be committed is, after whatever is under way. */
  commit(): Promise<void> {
    // Taken now: at a rebalance the partitions may be gone when their turn comes.
    const places = this.#due();
    if (places.length === 0) return this.#running;
    const as = this.#member()?.identity;
    this.#running = this.#running.then(() => this.#send(places, as));
    return this.#running;
  }

  #due(): readonly (readonly [CommittedPartition, PartitionOffset])[] {
    return this.#partitions().flatMap(partition => {
      const limit = this.#lifecycle?.commitLimit?.(partition) ?? Number.POSITIVE_INFINITY;
      const offset = Math.min(limit, partition.settledUpTo);
      if (offset <= partition.committed) return [];
      const { topic, partition: index } = partition;
      return [[partition, { topic, partition: index, offset }] as const];
    });
  }

  /** @param as who the member was when these were taken */
  async #send(
    places: readonly (readonly [CommittedPartition, PartitionOffset])[],
    as: MemberIdentity | undefined,
  ): Promise<void> {
    const member = this.#member();
    const identity = member?.identity;
    const isSame = isSameMember(as, identity);
    const held = this.#partitions();
    // What has gone meanwhile is another's, who may be behind.
    const due = places.filter(
      ([partition, { offset }]) => offset > partition.committed && (isSame || held.includes(partition)),
    );
    if (due.length === 0) return;
    try {
      if (member === undefined || identity === undefined) throw new BusError('unavailable', outOfGroup);
      await member.commit({ member: identity, offsets: due.map(([, place]) => place) });
      for (const [partition, { offset }] of due) partition.committed = offset;
      this.#outcome(undefined);
    } catch (error) {
      this.#outcome(error);
    }
  }
}

function isSameMember(a: MemberIdentity | undefined, b: MemberIdentity | undefined): boolean {
  return a?.memberId === b?.memberId && a?.generation === b?.generation;
}
