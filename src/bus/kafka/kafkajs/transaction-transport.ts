import type { Cluster } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import type { MemberOffsets } from '../driver.ts';
import type { ProducerId } from '../producer-id.ts';
import { requiredAcks } from '../publishing/sequenced-producer.ts';
import { Coordinators } from '../transactions/coordinators.ts';
import type { RefusedPlace } from '../transactions/transaction-span.ts';
import type { TransactionTransport, TransactionalId } from '../transactions/transactional-producer.ts';
import { Coordinator, requireDone, requireRight } from './coordinator.ts';
import { KafkaJsEndsTransport } from './ends-transport.ts';
import { commitOffsetsIn } from './offset-requests.ts';
import { KafkaJsProduceTransport } from './produce-transport.ts';
import { protocolError } from './raw-request.ts';
import { addGroup, addPartitions, endTransaction, initProducerId } from './transaction-requests.ts';

/** Carries transactions over a cluster of kafkajs. */
export class KafkaJsTransactionTransport implements TransactionTransport {
  readonly producing: KafkaJsProduceTransport;
  readonly ends: KafkaJsEndsTransport;
  isInDoubt = false;
  readonly #cluster: Cluster;
  readonly #coordinator: Coordinator;
  readonly #groups: Coordinators<Coordinator>;

  constructor(cluster: Cluster, id: string, requestTimeoutMs: number) {
    const settings = { acks: requiredAcks('all'), timeout: requestTimeoutMs, transactionalId: id };
    this.producing = new KafkaJsProduceTransport(cluster, settings);
    this.ends = new KafkaJsEndsTransport(cluster, this.producing);
    this.#cluster = cluster;
    const patience = { atMostMs: requestTimeoutMs };
    const unanswered = (): void => void (this.isInDoubt = true);
    this.#coordinator = new Coordinator(cluster, 'transaction', id, patience, unanswered);
    this.#groups = new Coordinators(group => new Coordinator(cluster, 'group', group, patience, unanswered));
  }

  async identify(id: string, timeoutMs: number, before: ProducerId): Promise<ProducerId> {
    await this.#cluster.connect();
    await requireRight(this.#cluster, 'transaction', id);
    const answers = await this.#coordinator.ask(initProducerId(id, timeoutMs, before));
    requireDone(answers);
    const [answer] = answers;
    if (answer === undefined) throw new Error('no producer id was answered');
    this.isInDoubt = false;
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }

  async addPartitions(
    self: TransactionalId,
    places: readonly TopicPartition[],
  ): Promise<readonly RefusedPlace[]> {
    const answers = await this.#coordinator.ask(addPartitions(self, places));
    return answers.flatMap(({ topic, partition, code }) => {
      const error = protocolError(code, null);
      return error ? [{ topic, partition, error }] : [];
    });
  }

  async addGroup(self: TransactionalId, group: string): Promise<void> {
    requireDone(await this.#coordinator.ask(addGroup(self, group)));
  }

  async commitOffsets(self: TransactionalId, offsets: MemberOffsets): Promise<void> {
    const coordinator = this.#groups.of(offsets.member.group);
    requireDone(await coordinator.ask(commitOffsetsIn(self, offsets)));
  }

  async end(self: TransactionalId, isCommit: boolean): Promise<void> {
    requireDone(await this.#coordinator.ask(endTransaction(self, isCommit)));
  }

  hurry(): void {
    this.#coordinator.close();
    this.#groups.close();
  }
}
