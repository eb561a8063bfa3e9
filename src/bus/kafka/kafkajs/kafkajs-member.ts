import type { AssignerProtocol, Assigner, Cluster, Consumer, Kafka } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { askAgain, topicUnheardOf } from '../ask-again.ts';
import type { DriverMember, JoinWish, MemberIdentity, MemberOffsets } from '../driver.ts';
import { type ProcessIdentity, candidateOf, introductionOf } from '../groups/member-introduction.ts';
import { assignPartitions } from '../groups/sticky-assignment.ts';
import type { Client } from './client.ts';
import { Coordinator, requireDone } from './coordinator.ts';
import { busErrorOf, typeOf } from './kafkajs-errors.ts';
import { leaveGroup } from './leave-group.ts';
import { commitOffsets } from './offset-requests.ts';
import { watchJoins } from './watched-joins.ts';

/** How often the loop that gives signs of life looks around, ms. */
const loopMs = 100;

/** What a member uses of its driver. */
export interface MemberHost {
  readonly client: Client;
  readonly kafka: Kafka;
  /** For what it asks of its coordinator beside its consumer. */
  readonly cluster: Cluster;
}

/**
 * Membership through kafkajs's consumer, which reads nothing: every partition is paused as soon as it is assigned, and
 * read elsewhere. What is left of it is joining, heartbeats, commits and leaving.
 */
export class KafkaJsMember implements DriverMember {
  readonly #consumer: Consumer;
  readonly #wish: JoinWish;
  readonly #committing: Coordinator;
  readonly #leaving: Coordinator;
  /** As the group knows it, also where it was never told what it has. */
  #memberId = '';
  #generation = -1;
  #identity: MemberIdentity | undefined;
  #partitions: readonly TopicPartition[] = [];
  #isRebalancing = false;
  #left = false;
  /** What a rebalance has to wait for. */
  #givingUp: Promise<void> = Promise.resolve();

  private constructor(consumer: Consumer, wish: JoinWish, cluster: Cluster) {
    const { group, options, isOver } = wish;
    this.#consumer = consumer;
    this.#wish = wish;
    this.#committing = new Coordinator(cluster, 'group', group, { atMostMs: options.sessionTimeoutMs / 4 });
    this.#leaving = new Coordinator(cluster, 'group', group, { atMostMs: Infinity, isOver });
  }

  get identity(): MemberIdentity | undefined {
    return this.#identity;
  }

  static async join(
    { client, kafka, cluster: asking }: MemberHost,
    identity: ProcessIdentity,
    wish: JoinWish,
  ): Promise<KafkaJsMember> {
    const { group, topics, options } = wish;
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
    const member = new KafkaJsMember(consumer, wish, asking);
    if (ofConsumer) {
      watchJoins(ofConsumer, {
        before: () => member.#givingUp,
        joined: (generation, memberId) => {
          member.#generation = generation;
          member.#memberId = memberId;
        },
      });
    }
    member.#listen(owned);
    try {
      await consumer.connect();
      // The topics are there, but whichever broker is asked may not have heard of them yet.
      await askAgain(() => consumer.subscribe({ topics: [...topics] }), typeOf, topicUnheardOf);
      await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    } catch (error) {
      member.leave().catch(() => undefined);
      throw busErrorOf(error, `joining group ${group}`);
    }
    return member;
  }

  async commit(offsets: MemberOffsets): Promise<void> {
    try {
      requireDone(await this.#committing.ask(commitOffsets(offsets)));
    } catch (error) {
      throw busErrorOf(error, 'committing offsets', `Read on group ${this.#wish.group}`);
    }
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#committing.close();
    // It says so to its group once, unless it has crashed, and does not look whether it was heard.
    await this.#consumer.disconnect().catch(() => undefined);
    if (this.#memberId !== '') await this.#leaving.ask(leaveGroup(this.#wish.group, this.#memberId));
  }

  #listen(owned: Owned): void {
    const { group, events } = this.#wish;
    const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(HEARTBEAT, () => {
      if (this.#left) return;
      events.alive();
      if (this.#isRebalancing) this.#goOn();
    });
    this.#consumer.on(REBALANCING, () => {
      if (this.#left) return;
      this.#isRebalancing = true;
      // What is this member's from then on is only known when it has joined again.
      this.#givingUp = events.rebalancing('any');
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
      const before = this.#identity;
      // In a generation between, which it joined and was told nothing of, what it had may have been another's.
      const continued = before?.memberId === memberId && this.#generation <= before.generation + 1;
      this.#partitions = partitions;
      // Only now: what is committed until here is of the partitions of the generation before.
      this.#identity = { group, memberId, generation: this.#generation };
      events.assigned(partitions, continued);
    });
    this.#consumer.on(CRASH, ({ payload: { error } }) => {
      if (!this.#left) events.failed(busErrorOf(error, `reading as a member of ${group}`));
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
      const lost = `membership of ${this.#wish.group}: joined, and was not told of which partitions`;
      this.#wish.events.failed(new BusError('unavailable', lost));
      return;
    }
    const givingUp = this.#givingUp;
    void givingUp.then(() => {
      // Another rebalance may have begun meanwhile.
      if (!this.#left && givingUp === this.#givingUp) this.#wish.events.assigned(this.#partitions, true);
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
