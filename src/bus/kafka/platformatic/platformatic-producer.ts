import { BusError } from '../../../core/publisher.ts';
import type {
  Compression,
  DriverProducer,
  PartitionBatch,
  ProducerOptions,
  StoreOutcome,
} from '../driver.ts';
import { writeBatch } from '../records/batch-writer.ts';
import type { Brokers } from './brokers.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';
import { type PartitionAnswer, produce } from './produce-request.ts';
import { Leaders } from './topic-metadata.ts';

/** A name among the brokers, and how many records they have counted under it, by partition. */
interface Identity {
  readonly id: { readonly producerId: bigint; readonly producerEpoch: number } | undefined;
  readonly counted: Map<string, number>;
  /** Whether the brokers have said that they count otherwise. */
  isLost: boolean;
}

/** A batch, and the number of its first record in its partition. */
interface NumberedBatch {
  readonly batch: PartitionBatch;
  readonly firstSequence: number;
}

/** Errors that say that the brokers no longer count as this producer does. */
const lostCount = new Set<string | undefined>([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

const maxSequence = 2 ** 31;

/** Stores records, each batch through the broker that leads its partition. */
export class PlatformaticProducer implements DriverProducer {
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #acks: number;
  readonly #timeoutMs: number;
  readonly #idempotent: boolean;
  readonly #compression: Compression;
  #identity: Promise<Identity> | undefined;
  #isStale = false;

  private constructor(
    brokers: Brokers,
    { acks, idempotent, compression }: ProducerOptions,
    timeoutMs: number,
  ) {
    this.#brokers = brokers;
    this.#leaders = new Leaders(brokers);
    this.#acks = acks === 'all' ? -1 : acks;
    this.#timeoutMs = timeoutMs;
    this.#idempotent = idempotent;
    this.#compression = compression;
  }

  static async open(
    brokers: Brokers,
    options: ProducerOptions,
    timeoutMs: number,
  ): Promise<PlatformaticProducer> {
    const producer = new PlatformaticProducer(brokers, options, timeoutMs);
    try {
      await brokers.metadata([]);
    } catch (error) {
      await brokers.close();
      throw busErrorOf(error, 'connecting a producer');
    }
    return producer;
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    const refusals = await this.#learn([...new Set(batches.map(({ topic }) => topic))]);
    const outcomes = new Map<PartitionBatch, StoreOutcome>();
    const byLeader = new Map<number, PartitionBatch[]>();
    for (const batch of batches) {
      const refusal = refusals.get(batch.topic);
      const leader = refusal === undefined ? this.#leaders.leaderOf(batch) : undefined;
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
    return this.#brokers.close();
  }

  async #sendTo(
    node: number,
    batches: readonly PartitionBatch[],
  ): Promise<readonly (readonly [PartitionBatch, StoreOutcome])[]> {
    try {
      const identity = await this.#identified();
      const numbered = batches.map(batch => ({
        batch,
        firstSequence: identity.counted.get(placeOf(batch)) ?? 0,
      }));
      const answers = await this.#produce(node, numbered, identity);
      return numbered.map(each => [each.batch, this.#told(each, answers, identity)]);
    } catch (error) {
      this.#isStale = true;
      return batches.map(batch => [batch, publishingError(error, batch.topic)]);
    }
  }

  async #produce(
    node: number,
    numbered: readonly NumberedBatch[],
    { id }: Identity,
  ): Promise<readonly PartitionAnswer[]> {
    const { client } = this.#brokers;
    const settings = { compression: this.#compression, timestamp: Date.now() };
    const encoded = await Promise.all(
      numbered.map(async ({ batch: { topic, partition, records }, firstSequence }) => {
        const origin = id && { ...id, firstSequence, isTransactional: false };
        return { topic, partition, bytes: await writeBatch(records, { ...settings, origin }) };
      }),
    );
    const connection = await this.#brokers.connectionTo(node);
    return produce(client, connection, encoded, this.#acks, this.#timeoutMs);
  }

  #told(
    { batch, firstSequence }: NumberedBatch,
    answers: readonly PartitionAnswer[],
    identity: Identity,
  ): StoreOutcome {
    const answer = answers.find(
      ({ topic, partition }) => topic === batch.topic && partition === batch.partition,
    );
    if (answer === undefined) return this.#leaderless(batch);
    if (answer.error === undefined) {
      // Counted only now, and from where it began: what is sent again carries the number that it had.
      identity.counted.set(placeOf(batch), (firstSequence + batch.records.length) % maxSequence);
      return answer.offset;
    }
    if (lostCount.has(typeOf(answer.error))) identity.isLost = true;
    const refusal = publishingError(answer.error, batch.topic);
    this.#isStale ||= refusal.retryable;
    return refusal;
  }

  /** Where the brokers no longer count as this one does, counting begins anew under another name. */
  async #identified(): Promise<Identity> {
    const asked = (this.#identity ??= this.#identify());
    try {
      const identity = await asked;
      if (!identity.isLost) return identity;
    } catch (error) {
      if (this.#identity === asked) this.#identity = undefined;
      throw error;
    }
    if (this.#identity === asked) this.#identity = undefined;
    return this.#identified();
  }

  async #identify(): Promise<Identity> {
    if (!this.#idempotent) return { id: undefined, counted: new Map(), isLost: false };
    const { initProducerIdV4 } = this.#brokers.client;
    const answer = await this.#brokers.askAny(initProducerIdV4.api, null, this.#timeoutMs, -1n, -1);
    const { producerId, producerEpoch } = answer;
    return { id: { producerId, producerEpoch }, counted: new Map(), isLost: false };
  }

  /** Learns who leads the topics where that is not known; why not, by topic, where that fails. */
  async #learn(topics: readonly string[]): Promise<ReadonlyMap<string, BusError>> {
    const unknown = this.#isStale ? topics : topics.filter(topic => !this.#leaders.knows(topic));
    if (unknown.length === 0) return new Map();
    this.#isStale = false;
    try {
      const problems = await this.#leaders.learn(unknown);
      return new Map([...problems].map(([topic, error]) => [topic, publishingError(error, topic)]));
    } catch (error) {
      this.#isStale = true;
      return new Map(unknown.map(topic => [topic, publishingError(error, topic)]));
    }
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
