import type { Broker } from 'kafkajs';
import type { EncodedBatch, PartitionAnswer } from '../publishing/sequenced-producer.ts';
import { type Decoder, type Encoder, protocolError, sendRaw } from './raw-request.ts';

export interface ProduceSettings {
  readonly acks: number;
  readonly timeout: number;
  /** Marks the batches as part of the open transaction of this id. */
  readonly transactionalId?: string;
}

/**
 * Sends batches to the broker that leads their partitions: Produce, version 7. kafkajs's own producer is not used:
 * where one broker of several fails it does not send what has moved to a broker that has answered already, of an
 * answer in which one partition failed it tells nothing about the others, and it writes records slowly.
 */
export async function produce(
  broker: Broker,
  batches: readonly EncodedBatch[],
  settings: ProduceSettings,
): Promise<readonly PartitionAnswer[]> {
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
        .writeArray(topicsOf(batches, encoder)),
    decode: decoder => decoder.readArray(answersOf).flat(),
  });
  return (
    answers ?? batches.map(({ topic, partition }) => ({ topic, partition, offset: -1, error: undefined }))
  );
}

function topicsOf(batches: readonly EncodedBatch[], encoder: () => Encoder): readonly Encoder[] {
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
