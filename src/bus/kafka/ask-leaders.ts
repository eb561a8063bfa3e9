import { BusError } from '../../core/publisher.ts';
import { askAboutTopics, askAgain, unheardOfMs } from './ask-again.ts';
import type { TopicMetadata } from './driver.ts';

/** What a broker says that was taken for the leader and is not, or does not know yet that it is. */
const leaderMoves = new Set<string | undefined>([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'OFFSET_NOT_AVAILABLE',
  // The topic is there: it was described.
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

/** Asks about some partitions of the topic the node that leads them. */
export type LeaderQuestion = (
  node: number,
  partitions: readonly number[],
) => Promise<ReadonlyMap<number, number>>;

/** How a client tells of its topics and of its errors. */
export interface LeaderClient {
  /** Who leads, as known now. */
  describe(): Promise<TopicMetadata>;
  /** The protocol's name of the error, where it has one. */
  typeOf(error: unknown): string | undefined;
}

/**
 * What the leaders of a topic tell of its partitions, in their order. Whoever is no leader any more, or not yet, is
 * asked again for a while.
 *
 * @throws the client's error, or BusError `unavailable` where a partition has no leader
 */
export function askLeaders(
  client: LeaderClient,
  question: LeaderQuestion,
): Promise<ReadonlyMap<number, number>> {
  const describe = (): Promise<TopicMetadata> =>
    askAboutTopics(() => client.describe(), { atMostMs: unheardOfMs });
  const ask = async (): Promise<ReadonlyMap<number, number>> => askEach(await describe(), question);
  return askAgain(ask, error => client.typeOf(error), leaderMoves);
}

async function askEach(
  { name, partitions }: TopicMetadata,
  question: LeaderQuestion,
): Promise<ReadonlyMap<number, number>> {
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  const answers = await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const numbers = led.map(({ partition }) => partition);
      if (leader === undefined) throw leaderless(name, numbers);
      return [...(await question(leader, numbers))];
    }),
  );
  return new Map(answers.flat().sort(([a], [b]) => a - b));
}

export function missingTopic(topic: string): BusError {
  return new BusError('topic-not-found', `no topic ${topic}: create it first`);
}

/** The topic that was asked about. @throws BusError `topic-not-found` where nothing is told of it */
export function requireTopic(topic: string, [metadata]: readonly TopicMetadata[]): TopicMetadata {
  if (metadata === undefined) throw missingTopic(topic);
  return metadata;
}

export function leaderless(topic: string, partitions: readonly number[]): BusError {
  return new BusError(
    'unavailable',
    `no broker leads ${topic}[${partitions.join(', ')}] now: see whether the brokers that hold it run`,
  );
}
