import * as t from 'io-ts';
import type { TopicPartition } from '../../event-bus.ts';
import type { MemberOffsets } from '../driver.ts';
import type { ProducerId } from '../producer-id.ts';
import { requiredAcks } from '../publishing/sequenced-producer.ts';
import { Coordinators } from '../transactions/coordinators.ts';
import type { RefusedPlace } from '../transactions/transaction-span.ts';
import type { TransactionTransport, TransactionalId } from '../transactions/transactional-producer.ts';
import type { Brokers } from './brokers.ts';
import { Coordinator } from './coordinator.ts';
import { PlatformaticEndsTransport } from './ends-transport.ts';
import { offsetsByTopic } from './offsets-by-topic.ts';
import { PlatformaticProduceTransport } from './produce-transport.ts';

/** An answer in which partitions are refused, as the client's error of it holds it. */
const Refusal = t.type({
  resultsByTransaction: t.array(
    t.type({
      topicResults: t.array(
        t.type({
          name: t.string,
          resultsByPartition: t.array(t.type({ partitionIndex: t.number, partitionErrorCode: t.number })),
        }),
      ),
    }),
  ),
});

/** Carries transactions over connections of @platformatic/kafka. */
export class PlatformaticTransactionTransport implements TransactionTransport {
  readonly producing: PlatformaticProduceTransport;
  readonly ends: PlatformaticEndsTransport;
  isInDoubt = false;
  readonly #brokers: Brokers;
  readonly #coordinator: Coordinator;
  readonly #groups: Coordinators<Coordinator>;

  constructor(brokers: Brokers, id: string, requestTimeoutMs: number) {
    this.producing = new PlatformaticProduceTransport(brokers, {
      acks: requiredAcks('all'),
      timeoutMs: requestTimeoutMs,
      transactionalId: id,
    });
    this.ends = new PlatformaticEndsTransport(brokers, this.producing);
    this.#brokers = brokers;
    const patience = { atMostMs: requestTimeoutMs };
    const unanswered = (): void => void (this.isInDoubt = true);
    this.#coordinator = new Coordinator(brokers, 'transaction', id, patience, unanswered);
    this.#groups = new Coordinators(group => new Coordinator(brokers, 'group', group, patience, unanswered));
  }

  async identify(id: string, timeoutMs: number, before: ProducerId): Promise<ProducerId> {
    const { api } = this.#brokers.client.initProducerIdV4;
    const answer = await this.#coordinator.ask(api, id, timeoutMs, before.producerId, before.producerEpoch);
    const { producerId, producerEpoch } = answer;
    this.isInDoubt = false;
    return { producerId, producerEpoch };
  }

  async addPartitions(
    { id, producerId, producerEpoch }: TransactionalId,
    places: readonly TopicPartition[],
  ): Promise<readonly RefusedPlace[]> {
    const { ResponseError, addPartitionsToTxnV3 } = this.#brokers.client;
    const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => partition),
    }));
    const transaction = { transactionalId: id, producerId, producerEpoch, verifyOnly: false, topics };
    try {
      await this.#coordinator.ask(addPartitionsToTxnV3.api, [transaction]);
      return [];
    } catch (error) {
      const refused = error instanceof ResponseError ? this.#refusedIn(error['response']) : [];
      if (refused.length === 0) throw error;
      return refused;
    }
  }

  async addGroup({ id, producerId, producerEpoch }: TransactionalId, group: string): Promise<void> {
    const { api } = this.#brokers.client.addOffsetsToTxnV3;
    await this.#coordinator.ask(api, id, producerId, producerEpoch, group);
  }

  async commitOffsets(
    { id, producerId, producerEpoch }: TransactionalId,
    { member: { group, memberId, generation }, offsets }: MemberOffsets,
  ): Promise<void> {
    const { api } = this.#brokers.client.txnOffsetCommitV3;
    const topics = offsetsByTopic(offsets);
    const coordinator = this.#groups.of(group);
    await coordinator.ask(api, id, group, producerId, producerEpoch, generation, memberId, null, topics);
  }

  async end({ id, producerId, producerEpoch }: TransactionalId, isCommit: boolean): Promise<void> {
    await this.#coordinator.ask(this.#brokers.client.endTxnV3.api, id, producerId, producerEpoch, isCommit);
  }

  hurry(): void {
    this.#coordinator.close();
    this.#groups.close();
  }

  /** What a refusal says of each partition. */
  #refusedIn(response: unknown): readonly RefusedPlace[] {
    if (!Refusal.is(response)) return [];
    const topics = response.resultsByTransaction.flatMap(({ topicResults }) => topicResults);
    return topics.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition
        .filter(({ partitionErrorCode }) => partitionErrorCode !== 0)
        .map(({ partitionIndex, partitionErrorCode }) => ({
          topic: name,
          partition: partitionIndex,
          error: new this.#brokers.client.ProtocolError(partitionErrorCode),
        })),
    );
  }
}
