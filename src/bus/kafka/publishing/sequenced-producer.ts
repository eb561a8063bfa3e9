import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import { isSamePartition } from '../../same-partition.ts';
import type {
  Compression,
  DriverProducer,
  PartitionBatch,
  ProducerOptions,
  StoreOutcome,
} from '../driver.ts';
import type { ProducerId } from '../producer-id.ts';
import { mayPass } from '../protocol-errors.ts';
import { writeBatch } from '../records/batch-writer.ts';

/** A batch in Kafka's own format. */
export interface EncodedBatch extends TopicPartition {
  readonly bytes: Buffer;
}

/** What a broker answered for one partition. */
export interface PartitionAnswer extends TopicPartition {
  /** -1 where the broker does not tell. */
  readonly offset: number;
  /** Where it was not stored: the client's error. */
  readonly error: Error | undefined;
}

/** How the protocol writes from how many copies an acknowledgement is asked for. */
export function requiredAcks(acks: ProducerOptions['acks']): number {
  return acks === 'all' ? -1 : acks;
}

/** What a client does for a producer, over connections of its own. Errors are the client's. */
export interface ProduceTransport {
  /**
   * Learns who leads these topics; why not, by topic, where that fails.
   *
   * @param anew whether what is known may be wrong
   */
  learn(topics: readonly string[], anew: boolean): Promise<ReadonlyMap<string, unknown>>;
  leaderOf(place: TopicPartition): number | undefined;
  /** 0 where it is not known. */
  partitionsOf(topic: string): number;
  /** Gets a new name. */
  identify(): Promise<ProducerId>;
  /** Sends batches to the broker that leads their partitions. */
  produce(node: number, batches: readonly EncodedBatch[]): Promise<readonly PartitionAnswer[]>;
  /** The protocol's name of an error, where it has one. */
  readonly typeOf: (error: unknown) => string | undefined;
  readonly busErrorOf: (error: unknown, doing: string, right: string) => BusError;
  close(): Promise<void>;
}

export interface SequencedOptions {
  readonly compression: Compression;
  /** Whether brokers are to count what is sent. */
  readonly idempotent: boolean;
  /** See {@link ProducerOptions.after}. */
  readonly after?: ProducerId | undefined;
  /** Where batches are part of transactions, to which their partitions must have been added before. */
  readonly transaction?: {
    readonly id: ProducerId;
    /** What is told where another has the name by now. */
    readonly fenced: (cause: Error) => BusError;
  };
}

/** A name, and how many records the brokers have counted under it, by partition. */
interface Identity {
  readonly id: ProducerId | undefined;
  readonly counted: Map<string, number>;
  /** Whether the brokers have said that they count otherwise. */
  isLost: boolean;
}

/** A batch, and the number of its first record in its partition. */
interface NumberedBatch {
  readonly batch: PartitionBatch;
  readonly firstSequence: number;
}

type Told = readonly [PartitionBatch, StoreOutcome];

/** Errors that say that the brokers no longer count as this producer does. */
const lostCount = new Set<string | undefined>([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
]);

const maxSequence = 2 ** 31;
const maxEpoch = 2 ** 15 - 1;

/**
 * Stores records, each batch through the broker that leads its partition, numbered so that one that is sent again is
 * stored once. The same over every client.
 */
export class SequencedProducer implements DriverProducer {
  readonly #transport: ProduceTransport;
  readonly #options: SequencedOptions;
  #identity: Promise<Identity> | undefined;
  /** Whether others may lead by now. */
  #isStale = false;
  #name: ProducerId | undefined;

  constructor(transport: ProduceTransport, options: SequencedOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  get name(): ProducerId | undefined {
    return this.#name ?? this.#options.after;
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    const refusals = await this.#learn([...new Set(batches.map(({ topic }) => topic))]);
    const outcomes = new Map<PartitionBatch, StoreOutcome>();
    const byLeader = new Map<number, PartitionBatch[]>();
    for (const batch of batches) {
      const refusal = refusals.get(batch.topic);
      const leader = refusal === undefined ? this.#transport.leaderOf(batch) : undefined;
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
    return this.#transport.close();
  }

  async #sendTo(node: number, batches: readonly PartitionBatch[]): Promise<readonly Told[]> {
    try {
      const identity = await this.#identified();
      const numbered = batches.map(batch => ({
        batch,
        firstSequence: identity.counted.get(placeName(batch)) ?? 0,
      }));
      const encoded = await Promise.all(numbered.map(each => this.#encoded(each, identity.id)));
      const answers = await this.#transport.produce(node, encoded);
      return numbered.map(each => [each.batch, this.#told(each, answers, identity)]);
    } catch (error) {
      this.#isStale = true;
      return batches.map(batch => [batch, this.#refusal(error, batch.topic)]);
    }
  }

  async #encoded(
    { batch: { topic, partition, records }, firstSequence }: NumberedBatch,
    id: ProducerId | undefined,
  ): Promise<EncodedBatch> {
    const { compression, transaction } = this.#options;
    const origin = id && { ...id, firstSequence, isTransactional: transaction !== undefined };
    return {
      topic,
      partition,
      bytes: await writeBatch(records, { compression, origin, timestamp: Date.now() }),
    };
  }

  #told(
    { batch, firstSequence }: NumberedBatch,
    answers: readonly PartitionAnswer[],
    identity: Identity,
  ): StoreOutcome {
    const answer = answers.find(each => isSamePartition(each, batch));
    if (answer === undefined) return this.#leaderless(batch);
    const { error, offset } = answer;
    if (error === undefined) {
      // Counted only now, and from where it began: what is sent again carries the number that it had.
      identity.counted.set(placeName(batch), (firstSequence + batch.records.length) % maxSequence);
      return offset;
    }
    if (lostCount.has(this.#transport.typeOf(error))) {
      if (this.#options.transaction) return this.#options.transaction.fenced(error);
      identity.isLost = true;
    }
    const refusal = this.#refusal(error, batch.topic);
    this.#isStale ||= mayPass(refusal);
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
    const { idempotent, transaction } = this.#options;
    const id = transaction?.id ?? (idempotent ? await this.#nextName() : undefined);
    this.#name = id;
    return { id, counted: new Map(), isLost: false };
  }

  /** What brokers have come to count otherwise goes on under a new one. */
  async #nextName(): Promise<ProducerId> {
    const after = this.#name === undefined ? this.#options.after : undefined;
    return after && after.producerEpoch < maxEpoch
      ? { ...after, producerEpoch: after.producerEpoch + 1 }
      : this.#transport.identify();
  }

  async #learn(topics: readonly string[]): Promise<ReadonlyMap<string, BusError>> {
    const anew = this.#isStale;
    this.#isStale = false;
    const refusals = new Map<string, BusError>();
    try {
      const problems = await this.#transport.learn(topics, anew);
      for (const [topic, error] of problems) refusals.set(topic, this.#refusal(error, topic));
    } catch (error) {
      for (const topic of topics) refusals.set(topic, this.#refusal(error, topic));
    }
    this.#isStale ||= [...refusals.values()].some(mayPass);
    return refusals;
  }

  #refusal(error: unknown, topic: string): BusError {
    return this.#transport.busErrorOf(error, `publishing to ${topic}`, `Write on topic ${topic}`);
  }

  #leaderless({ topic, partition }: PartitionBatch): BusError {
    this.#isStale = true;
    return new BusError(
      'unavailable',
      `publishing to ${topic}: no broker leads partition ${partition} now: see whether the brokers that hold it run`,
    );
  }
}
