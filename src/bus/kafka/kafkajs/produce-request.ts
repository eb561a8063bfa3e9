import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import type { Broker } from 'kafkajs';
import type { Compression, PartitionBatch } from '../driver.ts';
import { writeBatch } from '../records/batch-writer.ts';
import { type Decoder, type Encoder, protocolError, sendRaw } from './raw-request.ts';

/** What a broker of kafkajs has beside its published type. */
interface IdentifyingBroker {
  initProducerId(options: { readonly transactionTimeout: number }): Promise<unknown>;
}

/** Under what name brokers count what a producer sends, so that nothing is stored twice. */
export interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
}

const ProducerId: t.Type<ProducerId> = t.type({ producerId: t.string, producerEpoch: t.number });

/** A batch and, for producers with an id, the number of its first record in its partition. */
export interface NumberedBatch extends PartitionBatch {
  readonly firstSequence: number;
}

export interface ProduceSettings {
  readonly acks: number;
  readonly timeout: number;
  readonly compression: Compression;
  /** Marks the batches as part of the open transaction of this id. */
  readonly transactionalId?: string;
}

/** What a broker answered for one partition. */
export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** kafkajs's error where it was not stored. */
  readonly error: Error | undefined;
}

export async function askProducerId(broker: Broker, transactionTimeout: number): Promise<ProducerId> {
  const answer = await (broker as unknown as IdentifyingBroker).initProducerId({ transactionTimeout });
  const result = ProducerId.decode(answer);
  if (isLeft(result)) {
    throw new TypeError(`kafkajs answered something unexpected: ${PathReporter.report(result).join('; ')}`);
  }
  return result.right;
}

/**
 * Sends batches to the broker that leads their partitions: Produce, version 7. kafkajs's own producer is not used:
 * where one broker of several fails it does not send what has moved to a broker that has answered already, of an
 * answer in which one partition failed it tells nothing about the others, and it writes records slowly.
 */
export async function produce(
  broker: Broker,
  batches: readonly NumberedBatch[],
  settings: ProduceSettings,
  id: ProducerId | undefined,
): Promise<readonly PartitionAnswer[]> {
  const written = await Promise.all(batches.map(batch => writtenOf(batch, settings, id)));
  const answers = await sendRaw(broker, {
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    isAnswered: settings.acks !== 0,
    encode: encoder =>
      encoder()
        .writeString(settings.transactionalId ?? null)
        .writeInt16(settings.acks)
        .writeInt32(settings.timeout)
        .writeArray(topicsOf(written, encoder)),
    decode: decoder => decoder.readArray(answersOf).flat(),
  });
  return (
    answers ?? batches.map(({ topic, partition }) => ({ topic, partition, offset: -1, error: undefined }))
  );
}

interface WrittenBatch extends NumberedBatch {
  readonly bytes: Buffer;
}

async function writtenOf(
  batch: NumberedBatch,
  { compression, transactionalId }: ProduceSettings,
  id: ProducerId | undefined,
): Promise<WrittenBatch> {
  const origin = id && {
    producerId: BigInt(id.producerId),
    producerEpoch: id.producerEpoch,
    firstSequence: batch.firstSequence,
    isTransactional: transactionalId !== undefined,
  };
  return { ...batch, bytes: await writeBatch(batch.records, { compression, origin, timestamp: Date.now() }) };
}

function topicsOf(batches: readonly WrittenBatch[], encoder: () => Encoder): readonly Encoder[] {
  return [...Map.groupBy(batches, ({ topic }) => topic)].map(([topic, ofTopic]) =>
    encoder()
      .writeString(topic)
      .writeArray(ofTopic.map(({ partition, bytes }) => encoder().writeInt32(partition).writeBytes(bytes))),
  );
}

function answersOf(ofTopic: Decoder): PartitionAnswer[] {
  const topic = ofTopic.readString() ?? '';
  return ofTopic.readArray(ofPartition => {
    const partition = ofPartition.readInt32();
    const error = protocolError(ofPartition.readInt16(), null);
    const offset = Number(ofPartition.readInt64().toString());
    ofPartition.readInt64(); // log time
    ofPartition.readInt64(); // where the log begins
    return { topic, partition, offset, error };
  });
}
