import type { metadataV9 } from '@platformatic/kafka';
import type { TopicPartition } from '../../event-bus.ts';
import type { TopicMetadata } from '../driver.ts';
import type { Brokers } from './brokers.ts';

type Topic = metadataV9.MetadataResponseTopic;

/** A topic as a broker described it. */
export function topicOf({ name, partitions }: Topic): TopicMetadata {
  return {
    name,
    partitions: partitions
      .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
        partition: partitionIndex,
        leader: leaderId < 0 ? undefined : leaderId,
        replicas: replicaNodes,
        inSync: isrNodes,
      }))
      .sort((a, b) => a.partition - b.partition),
  };
}

/** Who leads the partitions of some topics, as was said last. */
export class Leaders {
  readonly #brokers: Brokers;
  readonly #topics = new Map<string, TopicMetadata>();

  constructor(brokers: Brokers) {
    this.#brokers = brokers;
  }

  knows(topic: string): boolean {
    return this.#topics.has(topic);
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    return this.#topics.get(topic)?.partitions[partition]?.leader;
  }

  partitionsOf(topic: string): number {
    return this.#topics.get(topic)?.partitions.length ?? 0;
  }

  /**
   * Asks anew; what is the matter with a topic, by topic.
   *
   * @throws the client's error where nobody answers
   */
  async learn(topics: readonly string[]): Promise<ReadonlyMap<string, Error>> {
    const { ProtocolError } = this.#brokers.client;
    const problems = new Map<string, Error>();
    const answer = await this.#brokers.metadata(topics);
    for (const topic of answer.topics) {
      const { name, errorCode } = topic;
      if (errorCode === 0) this.#topics.set(name, topicOf(topic));
      else {
        this.#topics.delete(name);
        problems.set(name, new ProtocolError(errorCode));
      }
    }
    return problems;
  }
}
