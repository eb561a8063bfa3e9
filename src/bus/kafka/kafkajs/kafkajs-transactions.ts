import type { Cluster } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import { isSamePartition } from '../../same-partition.ts';
import type {
  Compression,
  DriverTransactions,
  MemberOffsets,
  PartitionBatch,
  StoreOutcome,
} from '../driver.ts';
import { SequencedProducer, requiredAcks } from '../sequenced-producer.ts';
import { type Answer, Coordinator } from './coordinator.ts';
import { fencedError } from './fenced-error.ts';
import { busErrorOf, typeOf } from './kafkajs-errors.ts';
import { KafkaJsProduceTransport } from './produce-transport.ts';
import { protocolError } from './raw-request.ts';
import {
  type TransactionalProducer,
  addGroup,
  addPartitions,
  commitOffsets,
  endTransaction,
  initProducerId,
} from './transaction-requests.ts';

/** Errors that say that somebody else has taken over: the producer's id, or the member's partitions. */
const fencing = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
]);

/** Of a request that named several partitions one of which failed. */
const notAttempted = 55;

/** Transactions by requests of our own: kafkajs's producer waits for long, and commits offsets for whoever asks. */
export class KafkaJsTransactions implements DriverTransactions {
  readonly #cluster: Cluster;
  readonly #self: TransactionalProducer;
  readonly #coordinator: Coordinator;
  readonly #producer: SequencedProducer;
  readonly #timeoutMs: number;
  readonly #groups = new Map<string, Coordinator>();
  /** Of the open transaction. */
  readonly #places = new Set<string>();
  #adding: Promise<unknown> = Promise.resolve();
  #isOpen = false;
  #sending = 0;

  private constructor(
    cluster: Cluster,
    self: TransactionalProducer,
    coordinator: Coordinator,
    producer: SequencedProducer,
    timeoutMs: number,
  ) {
    this.#cluster = cluster;
    this.#self = self;
    this.#coordinator = coordinator;
    this.#producer = producer;
    this.#timeoutMs = timeoutMs;
  }

  static async open(
    cluster: Cluster,
    id: string,
    timeoutMs: number,
    compression: Compression,
    requestTimeoutMs: number,
  ): Promise<KafkaJsTransactions> {
    const coordinator = new Coordinator(cluster, 'transaction', id, requestTimeoutMs);
    try {
      await cluster.connect();
      const [answer] = await coordinator.ask(initProducerId(id, timeoutMs));
      if (answer === undefined) throw new Error('no producer id was answered');
      const error = protocolError(answer.code, null);
      if (error) throw error;
      const self = { id, producerId: answer.producerId, producerEpoch: answer.producerEpoch };
      const transport = new KafkaJsProduceTransport(cluster, {
        acks: requiredAcks('all'),
        timeout: requestTimeoutMs,
        transactionalId: id,
      });
      const producer = new SequencedProducer(transport, {
        compression,
        idempotent: true,
        transaction: { id: self, fenced: cause => fencedError(self, cause) },
      });
      return new KafkaJsTransactions(cluster, self, coordinator, producer, timeoutMs);
    } catch (error) {
      await cluster.disconnect();
      throw busErrorOf(error, `opening transactions of ${id}`, `Write on transactional id ${id}`);
    }
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    this.#sending++;
    try {
      return await this.#send(batches);
    } finally {
      this.#sending--;
    }
  }

  async #send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    const refusals = await this.#add(batches);
    const added = batches.filter(batch => !refusals.has(placeName(batch)));
    const stored = added.length === 0 ? [] : await this.#producer.send(added);
    const outcomes = new Map(added.map((batch, i) => [placeName(batch), stored[i]]));
    return batches.map(batch => {
      const place = placeName(batch);
      return refusals.get(place) ?? outcomes.get(place) ?? this.#untold(batch);
    });
  }

  async commit(members: readonly MemberOffsets[]): Promise<void> {
    if (members.length > 0) this.#isOpen = true;
    if (!this.#isOpen) return;
    try {
      const groups = new Set(members.map(({ member: { group } }) => group));
      for (const group of groups) {
        requireDone(await this.#coordinator.ask(addGroup(this.#self, group)));
      }
      for (const offsets of members) {
        const coordinator = this.#coordinatorOf(offsets.member.group);
        requireDone(await coordinator.ask(commitOffsets(this.#self, offsets)));
      }
      requireDone(await this.#coordinator.ask(endTransaction(this.#self, true)));
    } catch (error) {
      throw this.#errorOf(error, `committing a transaction of ${this.#self.id}`);
    }
    this.#ended();
  }

  async close(): Promise<void> {
    // Who waits for what should pass is not to wait for it any more.
    for (const coordinator of [this.#coordinator, ...this.#groups.values()]) coordinator.close();
    try {
      // What comes after an abort would begin a transaction that nobody ends.
      if (this.#isOpen && this.#sending === 0) await this.#coordinator.ask(endTransaction(this.#self, false));
    } catch {
      // The brokers abort it in its time, or when the next of this id is opened.
    }
    await this.#cluster.disconnect();
  }

  /** Makes partitions part of the transaction; why not, by place, where that is refused. One request at a time. */
  #add(batches: readonly PartitionBatch[]): Promise<ReadonlyMap<string, BusError>> {
    const adding = this.#adding.then(() => this.#addMissing(batches));
    this.#adding = adding;
    return adding;
  }

  async #addMissing(batches: readonly PartitionBatch[]): Promise<ReadonlyMap<string, BusError>> {
    const refusals = new Map<string, BusError>();
    let missing: readonly TopicPartition[] = batches.filter(batch => !this.#places.has(placeName(batch)));
    try {
      while (missing.length > 0) {
        this.#isOpen = true;
        const answers = await this.#coordinator.ask(addPartitions(this.#self, missing));
        const refused = answers.filter(({ code }) => code !== 0 && code !== notAttempted);
        for (const answer of refused) refusals.set(placeName(answer), this.#refusalOf(answer));
        if (refused.length === 0) {
          for (const place of missing) this.#places.add(placeName(place));
          break;
        }
        missing = missing.filter(place => !refused.some(each => isSamePartition(each, place)));
      }
    } catch (error) {
      const refusal = this.#errorOf(error, `beginning a transaction of ${this.#self.id}`);
      for (const place of missing) refusals.set(placeName(place), refusal);
    }
    return refusals;
  }

  #ended(): void {
    this.#isOpen = false;
    this.#places.clear();
  }

  #coordinatorOf(group: string): Coordinator {
    const known = this.#groups.get(group);
    if (known) return known;
    const coordinator = new Coordinator(this.#cluster, 'group', group, this.#timeoutMs);
    this.#groups.set(group, coordinator);
    return coordinator;
  }

  #refusalOf({ topic, code }: TopicPartition & Answer): BusError {
    return this.#errorOf(protocolError(code, null), `publishing to ${topic}`, `Write on topic ${topic}`);
  }

  #errorOf(error: unknown, doing: string, right?: string): BusError {
    if (error instanceof Error && fencing.has(typeOf(error) ?? '')) return fencedError(this.#self, error);
    return busErrorOf(error, doing, right);
  }

  #untold({ topic, partition }: TopicPartition): BusError {
    return new BusError(
      'unavailable',
      `publishing to ${topic}: the brokers told nothing of partition ${partition}`,
    );
  }
}

/** @throws kafkajs's error of what was refused */
function requireDone(answers: readonly Answer[]): void {
  for (const { code } of answers) {
    const error = protocolError(code, null);
    if (error) throw error;
  }
}
