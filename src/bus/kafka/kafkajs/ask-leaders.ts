import { setTimeout as wait } from 'node:timers/promises';
import type { Broker, Cluster } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type { TopicMetadata } from '../driver.ts';
import { typeOf } from './kafkajs-errors.ts';

const stepMs = 50;
const atMostMs = 10_000;

/** What a broker says that was taken for the leader and is not, or does not know yet that it is. */
const leaderMoves = new Set<string | undefined>([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'OFFSET_NOT_AVAILABLE',
]);

/** Asks about some partitions of the topic the broker that leads them. */
export type LeaderQuestion = (
  broker: Broker,
  partitions: readonly number[],
) => Promise<ReadonlyMap<number, number>>;

/**
 * What the leaders of a topic tell of its partitions. Whoever is no leader any more, or not yet, is asked again for a
 * while.
 *
 * @param describe who leads, as known now
 * @throws kafkajs's error, or BusError `unavailable` where a partition has no leader
 */
export async function askLeaders(
  cluster: Cluster,
  describe: () => Promise<TopicMetadata>,
  question: LeaderQuestion,
): Promise<ReadonlyMap<number, number>> {
  for (let waited = 0; ; waited += stepMs) {
    try {
      return await askEach(cluster, await describe(), question);
    } catch (error) {
      if (waited >= atMostMs || !leaderMoves.has(typeOf(error))) throw error;
      await wait(stepMs);
    }
  }
}

async function askEach(
  cluster: Cluster,
  { name, partitions }: TopicMetadata,
  question: LeaderQuestion,
): Promise<ReadonlyMap<number, number>> {
  await cluster.refreshMetadata();
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  const answers = await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const numbers = led.map(({ partition }) => partition);
      if (leader === undefined) throw leaderless(name, numbers);
      const broker = await cluster.findBroker({ nodeId: String(leader) });
      return [...(await question(broker, numbers))];
    }),
  );
  return new Map(answers.flat());
}

function leaderless(topic: string, partitions: readonly number[]): BusError {
  return new BusError(
    'unavailable',
    `no broker leads ${topic}[${partitions.join(', ')}] now: see whether the brokers that hold it run`,
  );
}
