import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import { isSamePartition } from '../../same-partition.ts';
import type { MemberIdentity, PartitionOffset } from '../driver.ts';
import type { Participant } from '../transactions/transaction-content.ts';
import type { FetchedPartition } from './fetched-partition.ts';

/** What one source has to do with the transactions that it commits by. */
export class TransactionShare implements Participant {
  readonly #partitions: () => readonly FetchedPartition[];
  readonly #member: () => MemberIdentity | undefined;

  constructor(partitions: () => readonly FetchedPartition[], member: () => MemberIdentity | undefined) {
    this.#partitions = partitions;
    this.#member = member;
  }

  get isDirty(): boolean {
    return this.#partitions().some(isDirty);
  }

  get member(): MemberIdentity | undefined {
    return this.#member();
  }

  settled(): readonly PartitionOffset[] {
    return this.#partitions().map(offsetOf);
  }

  due(): readonly PartitionOffset[] {
    return this.#partitions()
      .filter(({ settledUpTo, committed }) => settledUpTo > committed)
      .map(offsetOf);
  }

  committed(offsets: readonly PartitionOffset[]): void {
    for (const place of offsets) {
      const partition = this.#partitions().find(each => isSamePartition(each, place));
      if (partition) partition.committed = Math.max(partition.committed, place.offset);
    }
  }

  /**
   * Why nothing can be committed when these are lost: what was done for them others do again.
   *
   * @param isTakingStock whether state of all partitions is about to be committed: of these it is somebody else's by
   *   now, and as a member that still has others it would be taken
   */
  problemOf(lost: readonly TopicPartition[], isTakingStock: boolean): BusError | undefined {
    const dirty = this.#partitions().find(
      partition => isDirty(partition) && lost.some(each => isSamePartition(each, partition)),
    );
    const place = dirty ?? (isTakingStock ? lost[0] : undefined);
    if (place === undefined) return undefined;
    return new BusError(
      'fenced',
      `${placeName(place)} went to another member before what was done of it was committed: open a new transaction, the other member does it again`,
    );
  }
}

function isDirty({ repeats }: FetchedPartition): boolean {
  return repeats > 0;
}

function offsetOf({ topic, partition, settledUpTo: offset }: FetchedPartition): PartitionOffset {
  return { topic, partition, offset };
}
