import type { TopicPartition } from '../../event-bus.ts';
import type { ProducerId } from '../producer-id.ts';
import type { EncodedBatch, PartitionAnswer, ProduceTransport } from '../publishing/sequenced-producer.ts';
import type { Brokers } from './brokers.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';
import { type ProduceSettings, produce } from './produce-request.ts';
import { Leaders } from './topic-metadata.ts';

/** Carries what is produced over connections of @platformatic/kafka. */
export class PlatformaticProduceTransport implements ProduceTransport {
  readonly typeOf: ProduceTransport['typeOf'] = typeOf;
  readonly busErrorOf: ProduceTransport['busErrorOf'] = busErrorOf;
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #settings: ProduceSettings;

  constructor(brokers: Brokers, settings: ProduceSettings) {
    this.#brokers = brokers;
    this.#leaders = new Leaders(brokers);
    this.#settings = settings;
  }

  /** @throws BusError where no broker can be reached */
  async open(): Promise<this> {
    try {
      await this.#brokers.metadata([]);
      return this;
    } catch (error) {
      await this.#brokers.close();
      throw busErrorOf(error, 'connecting a producer');
    }
  }

  async learn(topics: readonly string[], anew: boolean): Promise<ReadonlyMap<string, unknown>> {
    const unknown = anew ? topics : topics.filter(topic => !this.#leaders.knows(topic));
    return unknown.length === 0 ? new Map() : this.#leaders.learn(unknown);
  }

  leaderOf(place: TopicPartition): number | undefined {
    return this.#leaders.leaderOf(place);
  }

  partitionsOf(topic: string): number {
    return this.#leaders.partitionsOf(topic);
  }

  async identify(): Promise<ProducerId> {
    const { initProducerIdV4 } = this.#brokers.client;
    const answer = await this.#brokers.askAny(initProducerIdV4.api, null, this.#settings.timeoutMs, -1n, -1);
    const { producerId, producerEpoch } = answer;
    return { producerId, producerEpoch };
  }

  async produce(node: number, batches: readonly EncodedBatch[]): Promise<readonly PartitionAnswer[]> {
    const connection = await this.#brokers.connectionTo(node);
    return produce(this.#brokers.client, connection, batches, this.#settings);
  }

  close(): Promise<void> {
    return this.#brokers.close();
  }
}
