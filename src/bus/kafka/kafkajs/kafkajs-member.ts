import type { AssignerProtocol, Assigner, Cluster, Consumer, Kafka } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import type {
  DriverMember,
  MemberEvents,
  MemberIdentity,
  MemberOffsets,
  MembershipOptions,
} from '../driver.ts';
import { askAgain, topicUnheardOf } from '../ask-again.ts';
import { type ProcessIdentity, candidateOf, introductionOf } from '../member-introduction.ts';
import { assignPartitions } from '../sticky-assignment.ts';
import type { Client } from './client.ts';
import { type Coordinator, requireDone } from './coordinator.ts';
import { busErrorOf, typeOf } from './kafkajs-errors.ts';
import { leaveGroup } from './leave-group.ts';
import { commitOffsets } from './offset-requests.ts';
import { watchJoins } from './watched-joins.ts';

/** How often the loop that gives signs of life looks around, ms. */
const loopMs = 100;

/**
 * Membership through kafkajs's consumer, which reads nothing: every partition is paused as soon as it is assigned, and
 * read elsewhere. What is left of it is joining, heartbeats, commits and leaving.
 */
export class KafkaJsMember implements DriverMember {
  readonly #consumer: Consumer;
  readonly #group: string;
  readonly #events: MemberEvents;
  readonly #coordinator: Coordinator;
  #memberId: string | undefined;
  #generation = -1;
  #identity: MemberIdentity | undefined;
  #partitions: readonly TopicPartition[] = [];
  #isRebalancing = false;
  #left = false;
  /** Has ended, and may not have been able to say so to its group. */
  #crashed = false;
  /** What a rebalance has to wait for. */
  #committing: Promise<void> = Promise.resolve();

  private constructor(consumer: Consumer, group: string, events: MemberEvents, coordinator: Coordinator) {
    this.#consumer = consumer;
    this.#group = group;
    this.#events = events;
    this.#coordinator = coordinator;
  }

  get identity(): MemberIdentity | undefined {
    return this.#identity;
  }

  static async join(
    client: Client,
    kafka: Kafka,
    identity: ProcessIdentity,
    group: string,
    topics: readonly string[],
    options: MembershipOptions,
    events: MemberEvents,
    coordinator: Coordinator,
  ): Promise<KafkaJsMember> {
    const owned: Owned = { partitions: {} };
    let ofConsumer: Cluster | undefined;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      maxWaitTimeInMs: Math.min(loopMs, options.heartbeatIntervalMs),
      // As long as the group may still wait for it: a client that starts anew comes back as a stranger, for whom the
      // group is closed until it has given up the member that was.
      retry: {
        initialRetryTime: 50,
        maxRetryTime: 1000,
        retries: 3 + Math.ceil(options.sessionTimeoutMs / 3000),
        // Joining anew is for whoever holds the membership: a consumer that is just starting again cannot be told to
        // leave, and holds its partitions for ever.
        restartOnFailure: () => Promise.resolve(false),
      },
      allowAutoTopicCreation: false,
      partitionAssigners: [
        ({ cluster }) => {
          ofConsumer = cluster;
          return stickyAssigner(client.AssignerProtocol, cluster, identity, owned);
        },
      ],
    });
    const member = new KafkaJsMember(consumer, group, events, coordinator);
    if (ofConsumer) {
      watchJoins(ofConsumer, {
        before: () => member.#committing,
        joined: generation => (member.#generation = generation),
      });
    }
    member.#listen(owned);
    try {
      await consumer.connect();
      // The topics are there, but whichever broker is asked may not have heard of them yet.
      await askAgain(() => consumer.subscribe({ topics: [...topics] }), typeOf, topicUnheardOf);
      await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    } catch (error) {
      void member.leave();
      throw busErrorOf(error, `joining group ${group}`);
    }
    return member;
  }

  async commit(offsets: MemberOffsets): Promise<void> {
    try {
      requireDone(await this.#coordinator.ask(commitOffsets(offsets)));
    } catch (error) {
      throw busErrorOf(error, 'committing offsets', `Read on group ${this.#group}`);
    }
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#consumer.disconnect();
    // Who joins in its place need not wait until the group has given this one up.
    if (this.#crashed && this.#memberId !== undefined)
      await this.#coordinator.ask(leaveGroup(this.#group, this.#memberId));
    this.#coordinator.close();
  }

  #listen(owned: Owned): void {
    const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(HEARTBEAT, () => {
      if (this.#left) return;
      this.#events.alive();
      if (this.#isRebalancing) this.#goOn();
    });
    this.#consumer.on(REBALANCING, () => {
      if (this.#left) return;
      this.#isRebalancing = true;
      // What is this member's from then on is only known when it has joined again.
      this.#committing = this.#events.rebalancing('any');
    });
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
      if (this.#left) return;
      this.#isRebalancing = false;
      owned.partitions = memberAssignment;
      const partitions = Object.entries(memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition): TopicPartition => ({ topic, partition })),
      );
      this.#consumer.pause(
        Object.entries(memberAssignment).map(([topic, numbers]) => ({ topic, partitions: numbers })),
      );
      const continued = this.#memberId === memberId;
      this.#memberId = memberId;
      this.#partitions = partitions;
      // Only now: what is committed until here is of the partitions of the generation before.
      this.#identity = { group: this.#group, memberId, generation: this.#generation };
      this.#events.assigned(partitions, continued);
    });
    this.#consumer.on(CRASH, ({ payload: { error } }) => {
      this.#crashed = true;
      if (!this.#left) this.#events.failed(busErrorOf(error, `reading as a member of ${this.#group}`));
    });
  }

  /**
   * kafkajs joins again where its coordinator has moved, forgets that where the new one is not ready to be asked, and
   * goes on with heartbeats. Where those are answered its group has not changed, and what it held is still its own,
   * unless it has joined a new generation and was not told what it has in it.
   */
  #goOn(): void {
    this.#isRebalancing = false;
    if (this.#generation !== this.#identity?.generation) {
      const lost = `membership of ${this.#group}: joined, and was not told of which partitions`;
      this.#events.failed(new BusError('unavailable', lost));
      return;
    }
    const committing = this.#committing;
    void committing.then(() => {
      // Another rebalance may have begun meanwhile.
      if (!this.#left && committing === this.#committing) this.#events.assigned(this.#partitions, true);
    });
  }
}

/** What the member holds, told to whoever assigns. */
interface Owned {
  partitions: Readonly<Record<string, readonly number[]>>;
}

function stickyAssigner(
  { MemberMetadata, MemberAssignment }: typeof AssignerProtocol,
  cluster: Cluster,
  identity: ProcessIdentity,
  owned: Owned,
): Assigner {
  const name = 'cryptorun-sticky';
  const version = 1;
  return {
    name,
    version,
    protocol: ({ topics }) => {
      const userData = introductionOf(identity, owned.partitions);
      return { name, metadata: MemberMetadata.encode({ version, topics, userData }) };
    },
    assign: ({ members, topics }) => {
      const counts = new Map(topics.map(topic => [topic, cluster.findTopicPartitionMetadata(topic).length]));
      const candidates = members.map(({ memberId, memberMetadata }) => {
        const metadata = MemberMetadata.decode(memberMetadata);
        return candidateOf(memberId, metadata?.topics ?? [], metadata?.userData);
      });
      for (const { topics: others } of candidates) {
        for (const topic of others) {
          if (!counts.has(topic)) counts.set(topic, cluster.findTopicPartitionMetadata(topic).length);
        }
      }
      const assignments = assignPartitions(candidates, counts);
      return Promise.resolve(
        [...assignments].map(([memberId, mine]) => {
          const assignment = Object.fromEntries(
            Object.entries(mine).map(([topic, numbers]) => [topic, [...numbers]]),
          );
          const userData = Buffer.alloc(0);
          return { memberId, memberAssignment: MemberAssignment.encode({ version, assignment, userData }) };
        }),
      );
    },
  };
}
