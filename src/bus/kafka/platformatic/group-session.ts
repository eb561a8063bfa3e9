import type { TopicPartition } from '../../event-bus.ts';
import type { JoinWish } from '../driver.ts';
import { assignCooperatively } from '../groups/cooperative-assignment.ts';
import { type ProcessIdentity, candidateOf, introductionOf } from '../groups/member-introduction.ts';
import type { Candidate } from '../groups/sticky-assignment.ts';
import type { Brokers } from './brokers.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts';
import { typeOf } from './platformatic-errors.ts';

/** The name of the way in which members share partitions out; those who have another cannot be in one group. */
const protocol = 'cryptorun-cooperative';
const protocolType = 'consumer';

/** How a member reaches the node that keeps its group. */
export interface GroupConnections {
  readonly talking: Brokers;
  /** Joining waits for others, and holds up what else goes over the same connection. */
  readonly joining: Brokers;
}

/** What a member is told when a rebalance is over. */
export interface Session {
  readonly memberId: string;
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
  /** For whoever assigns: how many partitions each topic had; undefined for the others. */
  readonly counts: ReadonlyMap<string, number> | undefined;
}

interface Member {
  readonly memberId: string;
  readonly metadata: Buffer;
}

/** What is for each member, as whoever assigns has found. */
interface Assigned {
  readonly assignments: { memberId: string; assignment: Buffer }[];
  readonly counts: ReadonlyMap<string, number> | undefined;
}

const noneAssigned: Assigned = { assignments: [], counts: undefined };

/** Takes part in a rebalance: joins, assigns where it falls to this member, and learns what is its own. */
export class GroupJoining {
  readonly #connections: GroupConnections;
  readonly #identity: ProcessIdentity;
  readonly #wish: JoinWish;

  constructor(connections: GroupConnections, identity: ProcessIdentity, wish: JoinWish) {
    this.#connections = connections;
    this.#identity = identity;
    this.#wish = wish;
  }

  /**
   * @param memberId as the group knows it; empty where it does not
   * @param known told of the name under which the group knows it, as soon as there is one
   * @throws the client's error
   */
  async join(
    coordinator: number,
    memberId: string,
    owned: readonly TopicPartition[],
    known: (memberId: string) => void,
  ): Promise<Session> {
    const { joining } = this.#connections;
    const { group } = this.#wish;
    const joined = await this.#askToJoin(coordinator, memberId, owned, known);
    known(joined.memberId);
    const isAssigner = joined.leader === joined.memberId;
    const { assignments, counts } = isAssigner ? await this.#assign(joined.members) : noneAssigned;
    const { assignment } = await joining.ask(
      coordinator,
      joining.client.syncGroupV5.api,
      group,
      joined.generationId,
      joined.memberId,
      null,
      protocolType,
      protocol,
      assignments,
    );
    return {
      memberId: joined.memberId,
      generation: joined.generationId,
      partitions: decodeAssignment(joining.client, assignment),
      counts,
    };
  }

  /** How many partitions these topics have; 0 for one that is not there. */
  async partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { topics: found } = await this.#connections.talking.metadata(topics);
    return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
  }

  async #askToJoin(
    coordinator: number,
    memberId: string,
    owned: readonly TopicPartition[],
    known: (memberId: string) => void,
  ): Promise<{ memberId: string; generationId: number; leader: string; members: readonly Member[] }> {
    const { joining } = this.#connections;
    const { client } = joining;
    const { group, topics, options } = this.#wish;
    const userData = introductionOf(this.#identity, byTopic(owned));
    const metadata = encodeSubscription(client, { topics, userData, owned });
    const ask = (as: string): ReturnType<typeof client.joinGroupV7.api.async> =>
      joining.ask(
        coordinator,
        client.joinGroupV7.api,
        group,
        options.sessionTimeoutMs,
        options.rebalanceTimeoutMs,
        as,
        null,
        protocolType,
        [{ name: protocol, metadata }],
        null,
      );
    try {
      return await ask(memberId);
    } catch (error) {
      const given = typeOf(error) === 'MEMBER_ID_REQUIRED' ? memberIdIn(error) : undefined;
      if (given === undefined) throw error;
      known(given);
      return ask(given);
    }
  }

  async #assign(members: readonly Member[]): Promise<Assigned> {
    const { client } = this.#connections.joining;
    const candidates = members.map(({ memberId, metadata }) => {
      const { topics, userData } = decodeSubscription(client, metadata);
      return candidateOf(memberId, topics, userData);
    });
    const counts = await this.partitionCounts([...new Set(candidates.flatMap(({ topics }) => topics))]);
    const assignments = [...assignCooperatively(candidates, counts)].map(([memberId, mine]) => ({
      memberId,
      assignment: encodeAssignment(client, placesOf(mine)),
    }));
    return { assignments, counts };
  }
}

/** The name that the group has given to one who joined without. */
function memberIdIn(error: unknown): string | undefined {
  const { response } = error as { readonly response?: { readonly memberId?: unknown } };
  return typeof response?.memberId === 'string' ? response.memberId : undefined;
}

function byTopic(places: readonly TopicPartition[]): Candidate['owned'] {
  const topics = Map.groupBy(places, ({ topic }) => topic);
  return Object.fromEntries(
    [...topics].map(([topic, ofTopic]) => [topic, ofTopic.map(({ partition }) => partition)]),
  );
}

function placesOf(assignment: Candidate['owned']): readonly TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map(partition => ({ topic, partition })),
  );
}
