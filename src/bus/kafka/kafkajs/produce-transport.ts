import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import type { Cluster } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import type { ProducerId } from '../producer-id.ts';
import type { EncodedBatch, PartitionAnswer, ProduceTransport } from '../publishing/sequenced-producer.ts';
import { busErrorOf, forgetClosed, typeOf } from './kafkajs-errors.ts';
import { type ProduceSettings, produce } from './produce-request.ts';

/** What a broker of kafkajs has beside its published type. */
interface IdentifyingBroker {
  initProducerId(options: { readonly transactionTimeout: number }): Promise<unknown>;
}

const Identified = t.type({ producerId: t.string, producerEpoch: t.number });

/** Carries what is produced over a cluster of kafkajs. */
export class KafkaJsProduceTransport implements ProduceTransport {
  readonly typeOf: ProduceTransport['typeOf'] = typeOf;
  readonly busErrorOf: ProduceTransport['busErrorOf'] = busErrorOf;
  readonly #cluster: Cluster;
  readonly #settings: ProduceSettings;

  constructor(cluster: Cluster, settings: ProduceSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** @throws BusError where no broker can be reached */
  async open(): Promise<this> {
    try {
      await this.#cluster.connect();
      return this;
    } catch (error) {
      await this.#cluster.disconnect();
      throw busErrorOf(error, 'connecting a producer');
    }
  }

  async learn(topics: readonly string[], anew: boolean): Promise<ReadonlyMap<string, unknown>> {
    try {
      await this.#cluster.addMultipleTargetTopics([...topics]);
      if (anew) await this.#cluster.refreshMetadata();
      return new Map();
    } catch (error) {
      // One topic that is gone makes kafkajs fail for all that it has ever asked for.
      const { targetTopics } = this.#cluster as Cluster & { readonly targetTopics?: Set<string> };
      const passes = busErrorOf(error, 'asking for topics').retryable;
      if (!passes) targetTopics?.clear();
      if (passes || topics.length === 1) return new Map(topics.map(topic => [topic, error]));
    }
    const problems = new Map<string, unknown>();
    for (const topic of topics)
      for (const [name, why] of await this.learn([topic], false)) problems.set(name, why);
    return problems;
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic);
    const leader = known.find(({ partitionId }) => partitionId === partition)?.leader;
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  partitionsOf(topic: string): number {
    return this.#cluster.findTopicPartitionMetadata(topic).length;
  }

  async identify(): Promise<ProducerId> {
    await this.#cluster.refreshMetadataIfNecessary();
    const broker = await this.#cluster.findControllerBroker();
    const answer = await (broker as unknown as IdentifyingBroker).initProducerId({
      transactionTimeout: this.#settings.timeout,
    });
    const result = Identified.decode(answer);
    if (isLeft(result)) {
      throw new TypeError(`kafkajs answered something unexpected: ${PathReporter.report(result).join('; ')}`);
    }
    const { producerId, producerEpoch } = result.right;
    return { producerId: BigInt(producerId), producerEpoch };
  }

  async produce(node: number, batches: readonly EncodedBatch[]): Promise<readonly PartitionAnswer[]> {
    try {
      return await produce(await this.#cluster.findBroker({ nodeId: String(node) }), batches, this.#settings);
    } catch (error) {
      forgetClosed(this.#cluster, error);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#cluster.disconnect();
  }
}
