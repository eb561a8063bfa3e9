import type { TopicPartition } from '../../event-bus.ts';
import type {
  EndsTransport,
  KnownTransaction,
  OpenTransaction,
  PartitionTransactions,
} from '../transactions/transaction-ends.ts';
import type { Brokers } from './brokers.ts';
import { openTransactions, writeMarker } from './marker-requests.ts';
import type { PlatformaticProduceTransport } from './produce-transport.ts';

/** Looks after the ends of transactions over connections of @platformatic/kafka. */
export class PlatformaticEndsTransport implements EndsTransport {
  readonly producing: PlatformaticProduceTransport;
  readonly #brokers: Brokers;

  constructor(brokers: Brokers, producing: PlatformaticProduceTransport) {
    this.#brokers = brokers;
    this.producing = producing;
  }

  async openTransactions(
    node: number,
    places: readonly TopicPartition[],
  ): Promise<readonly PartitionTransactions[]> {
    return openTransactions(this.#brokers.client, await this.#brokers.connectionTo(node), places);
  }

  async writeMarker(node: number, open: OpenTransaction, isCommit: boolean): Promise<void> {
    await writeMarker(this.#brokers.client, await this.#brokers.connectionTo(node), open, isCommit);
  }

  async knownTransactions(producerIds: readonly bigint[]): Promise<readonly KnownTransaction[]> {
    const { api } = this.#brokers.client.listTransactionsV0;
    const { brokers } = await this.#brokers.metadata([]);
    const answers = await Promise.all(
      brokers.map(({ nodeId }) => this.#brokers.ask(nodeId, api, [], [...producerIds], 0n, null)),
    );
    return answers.flatMap(({ transactionStates }) =>
      transactionStates.map(({ transactionalId: id, producerId, transactionState: state }) => ({
        id,
        producerId,
        state,
      })),
    );
  }
}
