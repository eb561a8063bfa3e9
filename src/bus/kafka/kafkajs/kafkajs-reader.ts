import type { Cluster, Kafka } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import { type DriverReader, type FetchWish, type FetchedPartition, OffsetOutOfRange } from '../driver.ts';
import { fetchedOf } from '../records/partition-content.ts';
import { clusterOf } from './client.ts';
import { type FetchAnswer, fetchFrom } from './fetch-request.ts';
import { busErrorOf, forgetClosed, typeOf } from './kafkajs-errors.ts';

/** Reads partitions without a group, through connections of its own. */
export class KafkaJsReader implements DriverReader {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async open(kafka: Kafka): Promise<KafkaJsReader> {
    const cluster = clusterOf(kafka);
    try {
      await cluster.connect();
    } catch (error) {
      throw busErrorOf(error, 'connecting a reader');
    }
    return new KafkaJsReader(cluster);
  }

  async refresh(topics: readonly string[]): Promise<void> {
    try {
      await this.#cluster.addMultipleTargetTopics([...topics]);
      await this.#cluster.refreshMetadata();
    } catch (error) {
      throw busErrorOf(error, `asking who leads ${topics.join(', ')}`, `Read on topic ${topics.join(', ')}`);
    }
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic);
    const leader = known.find(({ partitionId }) => partitionId === partition)?.leader;
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  async fetch(
    node: number,
    wishes: readonly FetchWish[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    try {
      const broker = await this.#cluster.findBroker({ nodeId: String(node) });
      const answers = await fetchFrom(broker, wishes, maxWaitMs);
      for (const answer of answers) requireAnswered(answer);
      return await Promise.all(answers.map(answer => fetchedOf(answer, wishes)));
    } catch (error) {
      throw this.#errorOf(error, wishes);
    }
  }

  close(): Promise<void> {
    return this.#cluster.disconnect();
  }

  #errorOf(error: unknown, wishes: readonly FetchWish[]): unknown {
    forgetClosed(this.#cluster, error);
    if (error instanceof OffsetOutOfRange) return error;
    const topics = [...new Set(wishes.map(({ topic }) => topic))].join(', ');
    return busErrorOf(error, `reading ${topics}`, `Read on topic ${topics}`);
  }
}

function requireAnswered({ topic, partition, error }: FetchAnswer): void {
  if (error === undefined) return;
  if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') throw new OffsetOutOfRange({ topic, partition });
  throw error;
}
