import { isSamePartition } from '../../same-partition.ts';
import type { MemberIdentity, MemberOffsets, PartitionOffset } from '../driver.ts';

/** A source that commits by a session. */
export interface Participant {
  /** Whether it has delivered what is not committed. */
  readonly isDirty: boolean;
  /** As what it may commit; undefined where it is out of its group for now. */
  readonly member: MemberIdentity | undefined;
  /** How far it has come in each of its partitions. */
  settled(): readonly PartitionOffset[];
  /** Those of them that the brokers do not know yet. */
  due(): readonly PartitionOffset[];
  committed(offsets: readonly PartitionOffset[]): void;
}

/** What one transaction consists of, apart from its outputs. */
export class TransactionContent {
  /** Whether there are outputs. */
  readonly hasSent: boolean;
  /** Of each source what is due. */
  readonly #due: ReadonlyMap<Participant, readonly PartitionOffset[]>;
  /** How far each source had come in each of its partitions. */
  readonly #settled: ReadonlyMap<Participant, readonly PartitionOffset[]>;

  /** As of now. */
  constructor(participants: Iterable<Participant>, hasSent: boolean) {
    const all = [...participants];
    this.hasSent = hasSent;
    this.#due = new Map(all.map(participant => [participant, participant.due()]));
    this.#settled = new Map(all.map(participant => [participant, participant.settled()]));
  }

  /**
   * What is due, as who its sources are when all is sent: from then on partitions may change hands. Where nothing is,
   * what the brokers know already proves that a source has not lost its partitions.
   *
   * @returns undefined where there is no such proof, and outputs are nobody's
   */
  members(participants: Iterable<Participant>): readonly MemberOffsets[] | undefined {
    const told = [...this.#due].flatMap(([{ member }, offsets]) =>
      member === undefined || offsets.length === 0 ? [] : [{ member, offsets }],
    );
    if (told.length > 0 || !this.hasSent) return told;
    for (const participant of participants) {
      const { member } = participant;
      const held = participant.settled();
      const known = this.#settled
        .get(participant)
        ?.find(place => held.some(each => isSamePartition(each, place)));
      if (member && known) return [{ member, offsets: [known] }];
    }
    return undefined;
  }

  committed(): void {
    for (const [participant, offsets] of this.#due) participant.committed(offsets);
  }
}
