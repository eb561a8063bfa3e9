import type { SchedulerLike } from 'rxjs';
import type { MemberEvents, MemberIdentity } from '../../../../src/bus/kafka/driver.ts';
import { type Candidate, assignPartitions } from '../../../../src/bus/kafka/groups/sticky-assignment.ts';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import type { ModelLine } from './model-line.ts';

const heartbeatMs = 100;

export interface ModelMember {
  readonly line: ModelLine;
  readonly events: MemberEvents;
  readonly instance: string;
  readonly rank: number;
  readonly topics: readonly string[];
  readonly exclusive: boolean;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Who it is to the group; another after it was given up. */
  memberId: string;
  /** Who it was told to be, with which partitions. */
  identity: MemberIdentity | undefined;
  held: readonly TopicPartition[];
  seenAt: number;
  /** It comes back no more. */
  hasLeft: boolean;
}

/** The members of one group, as its coordinator sees them. */
export class ModelGroup {
  readonly #name: string;
  readonly #time: SchedulerLike;
  readonly #partitionsOf: (topic: string) => number;
  readonly #members = new Map<string, ModelMember>();
  #generation = 0;
  #rebalancing = false;
  #isDue = false;
  #named = 0;

  constructor(name: string, time: SchedulerLike, partitionsOf: (topic: string) => number) {
    this.#name = name;
    this.#time = time;
    this.#partitionsOf = partitionsOf;
  }

  join(member: ModelMember): void {
    if (member.hasLeft) return;
    member.memberId = `m${++this.#named}`;
    member.seenAt = this.#time.now();
    this.#members.set(member.memberId, member);
    this.#heartbeat(member, member.memberId);
    this.rebalance();
  }

  leave(member: ModelMember): void {
    const { memberId } = member;
    member.hasLeft = true;
    if (this.#members.delete(memberId)) this.rebalance();
  }

  isMember({ memberId, generation }: MemberIdentity): boolean {
    return generation === this.#generation && this.#members.has(memberId);
  }

  /** Shares the partitions out anew, once all have given up what they have, or had their time for it. */
  rebalance(): void {
    this.#isDue = true;
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    void this.#rebalance().finally(() => {
      this.#rebalancing = false;
      if (this.#isDue) this.rebalance();
    });
  }

  async #rebalance(): Promise<void> {
    this.#isDue = false;
    const asked = [...this.#members.values()];
    await Promise.all(asked.map(member => this.#prepared(member)));
    // Who has not come is not one of them any more.
    if (this.#isDue) return;
    this.#generation++;
    const members = asked.filter(({ memberId }) => this.#members.has(memberId));
    const topics = [...new Set(members.flatMap(each => each.topics))];
    const shares = assignPartitions(
      members.map(candidateOf),
      new Map(topics.map(topic => [topic, this.#partitionsOf(topic)])),
    );
    for (const member of members) {
      const share = shares.get(member.memberId) ?? {};
      const partitions = Object.entries(share).flatMap(([topic, numbers]) =>
        numbers.map(partition => ({ topic, partition })),
      );
      this.#tell(member, partitions);
    }
  }

  #tell(member: ModelMember, partitions: readonly TopicPartition[]): void {
    const identity = { group: this.#name, memberId: member.memberId, generation: this.#generation };
    member.line.later(() => {
      if (identity.memberId !== member.memberId) return;
      const before = member.identity;
      const continued =
        before?.memberId === identity.memberId && identity.generation <= before.generation + 1;
      member.identity = identity;
      member.held = partitions;
      member.events.assigned(partitions, continued);
    });
  }

  #prepared(member: ModelMember): Promise<void> {
    return new Promise(resolve => {
      member.line.later(() => void member.events.rebalancing('any').then(() => member.line.later(resolve)));
      this.#time.schedule(() => resolve(), member.rebalanceTimeoutMs);
    });
  }

  #heartbeat(member: ModelMember, memberId: string): void {
    if (member.memberId !== memberId) return;
    if (member.hasLeft || member.line.isCut) {
      this.#expireLater(member, memberId);
      return;
    }
    if (member.line.isUp) {
      if (!this.#members.has(memberId)) {
        // It hears that it was given up, and comes back as another.
        void member.events.rebalancing('any').then(() => {
          if (member.memberId === memberId) this.join(member);
        });
        return;
      }
      member.seenAt = this.#time.now();
      if (!this.#rebalancing) member.events.alive();
    } else if (this.#time.now() - member.seenAt > member.sessionTimeoutMs) {
      this.#giveUp(memberId);
    }
    this.#time.schedule(() => this.#heartbeat(member, memberId), heartbeatMs);
  }

  #expireLater(member: ModelMember, memberId: string): void {
    this.#time.schedule(() => this.#giveUp(memberId), member.sessionTimeoutMs);
  }

  #giveUp(memberId: string): void {
    if (this.#members.delete(memberId)) this.rebalance();
  }
}

function candidateOf({ memberId, topics, instance, rank, exclusive, held }: ModelMember): Candidate {
  const owned: Record<string, number[]> = {};
  for (const { topic, partition } of held) owned[topic] = [...(owned[topic] ?? []), partition];
  return { member: memberId, topics, instance, rank, exclusive, owned };
}
