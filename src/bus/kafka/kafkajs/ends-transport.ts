import type { Cluster } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import type {
  EndsTransport,
  KnownTransaction,
  OpenTransaction,
  PartitionTransactions,
} from '../transactions/transaction-ends.ts';
import { forgetClosed } from './kafkajs-errors.ts';
import { knownTransactions, openTransactions, writeMarker } from './marker-requests.ts';
import type { KafkaJsProduceTransport } from './produce-transport.ts';
import { type RawRequest, protocolError, sendRaw } from './raw-request.ts';

/** Looks after the ends of transactions over a cluster of kafkajs. */
export class KafkaJsEndsTransport implements EndsTransport {
  readonly producing: KafkaJsProduceTransport;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, producing: KafkaJsProduceTransport) {
    this.#cluster = cluster;
    this.producing = producing;
  }

  openTransactions(
    node: number,
    places: readonly TopicPartition[],
  ): Promise<readonly PartitionTransactions[]> {
    return this.#ask(node, openTransactions(places));
  }

  async writeMarker(node: number, open: OpenTransaction, isCommit: boolean): Promise<void> {
    const errors = await this.#ask(node, writeMarker(open, isCommit));
    const error = errors.find(each => each !== undefined);
    if (error) throw error;
  }

  async knownTransactions(producerIds: readonly bigint[]): Promise<readonly KnownTransaction[]> {
    await this.#cluster.refreshMetadata();
    const nodes = this.#cluster.getNodeIds();
    const answers = await Promise.all(nodes.map(node => this.#ask(node, knownTransactions(producerIds))));
    return answers.flatMap(({ code, transactions }) => {
      const error = protocolError(code, null);
      if (error) throw error;
      return transactions;
    });
  }

  async #ask<A>(node: number, request: RawRequest<A>): Promise<A> {
    try {
      return await sendRaw(await this.#cluster.findBroker({ nodeId: String(node) }), request);
    } catch (error) {
      forgetClosed(this.#cluster, error);
      throw error;
    }
  }
}
