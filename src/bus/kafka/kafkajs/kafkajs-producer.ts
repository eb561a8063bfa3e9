import type { Cluster } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type {
  Compression,
  DriverProducer,
  PartitionBatch,
  ProducerOptions,
  StoreOutcome,
} from '../driver.ts';
import { busErrorOf, forgetClosed, typeOf } from './kafkajs-errors.ts';
import { fencedError } from './fenced-error.ts';
import {
  type PartitionAnswer,
  type ProduceSettings,
  type ProducerId,
  askProducerId,
  produce,
} from './produce-request.ts';
import type { TransactionalProducer } from './transaction-requests.ts';

/** A name among the brokers, and how many records they have counted under it, by partition. */
interface Identity {
  readonly id: ProducerId | undefined;
  readonly counted: Map<string, number>;
}

/** Errors that say that the brokers no longer count as this producer does. */
const lostCount = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
]);

const maxSequence = 2 ** 31;

/** Stores records, each batch through the broker that leads its partition. */
export class KafkaJsProducer implements DriverProducer {
  readonly #cluster: Cluster;
  readonly #settings: ProduceSettings;
  readonly #idempotent: boolean;
  readonly #transactional: TransactionalProducer | undefined;
  #identity: Promise<Identity> | undefined;
  #isStale = false;

  private constructor(
    cluster: Cluster,
    settings: ProduceSettings,
    idempotent: boolean,
    transactional: TransactionalProducer | undefined,
  ) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#idempotent = idempotent;
    this.#transactional = transactional;
  }

  static async open(
    cluster: Cluster,
    { acks, idempotent, compression }: ProducerOptions,
    timeout: number,
  ): Promise<KafkaJsProducer> {
    const settings = { acks: acks === 'all' ? -1 : acks, timeout, compression };
    const producer = new KafkaJsProducer(cluster, settings, idempotent, undefined);
    try {
      await cluster.connect();
    } catch (error) {
      await cluster.disconnect();
      throw busErrorOf(error, 'connecting a producer');
    }
    return producer;
  }

  /** One whose batches are part of transactions; partitions must have been added to the open one before. */
  static within(
    cluster: Cluster,
    transactional: TransactionalProducer,
    compression: Compression,
    timeout: number,
  ): KafkaJsProducer {
    const settings = { acks: -1, timeout, compression, transactionalId: transactional.id };
    return new KafkaJsProducer(cluster, settings, true, transactional);
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    const unknown = await this.#learn([...new Set(batches.map(({ topic }) => topic))]);
    const outcomes = new Map<PartitionBatch, StoreOutcome>();
    const byLeader = new Map<number, PartitionBatch[]>();
    for (const batch of batches) {
      const refusal = unknown.get(batch.topic);
      const leader = refusal === undefined ? this.#leaderOf(batch) : undefined;
      if (leader === undefined) outcomes.set(batch, refusal ?? this.#leaderless(batch));
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), batch]);
    }
    await Promise.all(
      [...byLeader].map(async ([node, led]) => {
        for (const [batch, outcome] of await this.#sendTo(node, led)) outcomes.set(batch, outcome);
      }),
    );
    return batches.map(batch => outcomes.get(batch) ?? this.#leaderless(batch));
  }

  close(): Promise<void> {
    return this.#cluster.disconnect();
  }

  async #sendTo(
    node: number,
    batches: readonly PartitionBatch[],
  ): Promise<readonly (readonly [PartitionBatch, StoreOutcome])[]> {
    try {
      const identity = await this.#identified();
      const { counted } = identity;
      const broker = await this.#cluster.findBroker({ nodeId: String(node) });
      const numbered = batches.map(batch => ({ ...batch, firstSequence: counted.get(placeOf(batch)) ?? 0 }));
      const answers = await produce(broker, numbered, this.#settings, identity.id);
      return numbered.map((batch, i) => {
        const outcome = this.#outcomeOf(batch, answers, identity);
        // Counted only now, and from where it began: what is sent again carries the number that it had.
        if (typeof outcome === 'number')
          counted.set(placeOf(batch), (batch.firstSequence + batch.records.length) % maxSequence);
        return [batches[i] ?? batch, outcome];
      });
    } catch (error) {
      this.#isStale = true;
      forgetClosed(this.#cluster, error);
      return batches.map(batch => [batch, publishingError(error, batch.topic)]);
    }
  }

  #outcomeOf(batch: PartitionBatch, answers: readonly PartitionAnswer[], identity: Identity): StoreOutcome {
    const answer = answers.find(
      ({ topic, partition }) => topic === batch.topic && partition === batch.partition,
    );
    if (answer === undefined) return this.#leaderless(batch);
    if (answer.error === undefined) return answer.offset;
    if (lostCount.has(typeOf(answer.error) ?? '')) {
      if (this.#transactional) return fencedError(this.#transactional, answer.error);
      void this.#forget(identity);
    }
    const refusal = publishingError(answer.error, batch.topic);
    this.#isStale ||= refusal.retryable;
    return refusal;
  }

  /** What the brokers count starts anew; where others have done that already, nothing changes. */
  async #forget(identity: Identity): Promise<void> {
    if ((await this.#identity) === identity) this.#identity = undefined;
  }

  #identified(): Promise<Identity> {
    this.#identity ??= this.#identify().catch((error: unknown) => {
      this.#identity = undefined;
      throw error;
    });
    return this.#identity;
  }

  async #identify(): Promise<Identity> {
    if (this.#transactional) return { id: this.#transactional, counted: new Map() };
    if (!this.#idempotent) return { id: undefined, counted: new Map() };
    await this.#cluster.refreshMetadataIfNecessary();
    const broker = await this.#cluster.findControllerBroker();
    return { id: await askProducerId(broker, this.#settings.timeout), counted: new Map() };
  }

  /** Learns who leads the topics; why not, by topic, where that fails. */
  async #learn(topics: readonly string[]): Promise<ReadonlyMap<string, BusError>> {
    const refusals = new Map<string, BusError>();
    try {
      await this.#cluster.addMultipleTargetTopics([...topics]);
      if (this.#isStale) {
        this.#isStale = false;
        await this.#cluster.refreshMetadata();
      }
    } catch (error) {
      this.#isStale = true;
      const refusal = publishingError(error, topics.join(', '));
      // One topic that is gone makes kafkajs fail for all that it has ever asked for.
      const { targetTopics } = this.#cluster as Cluster & { readonly targetTopics?: Set<string> };
      if (!refusal.retryable) targetTopics?.clear();
      if (refusal.retryable || topics.length === 1) {
        for (const topic of topics) refusals.set(topic, refusal);
      } else {
        for (const topic of topics)
          for (const [name, why] of await this.#learn([topic])) refusals.set(name, why);
      }
    }
    return refusals;
  }

  #leaderOf({ topic, partition }: PartitionBatch): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic);
    const leader = known.find(({ partitionId }) => partitionId === partition)?.leader;
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  #leaderless({ topic, partition }: PartitionBatch): BusError {
    this.#isStale = true;
    return new BusError('unavailable', `publishing to ${topic}: no broker leads partition ${partition} now`);
  }
}

function placeOf({ topic, partition }: PartitionBatch): string {
  return `${topic}/${partition}`;
}

function publishingError(error: unknown, topic: string): BusError {
  return busErrorOf(error, `publishing to ${topic}`, `Write on topic ${topic}`);
}
