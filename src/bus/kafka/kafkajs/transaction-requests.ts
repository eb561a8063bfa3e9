import type { TopicPartition } from '../../event-bus.ts';
import type { ProducerId } from '../producer-id.ts';
import type { TransactionalId } from '../transactions/transactional-producer.ts';
import { type Answer, type PlaceAnswer, codeAlone } from './coordinator.ts';
import { type Encoder, type RawRequest, untagged } from './raw-request.ts';

/**
 * Fences whoever had the id, and aborts what it left open: InitProducerId, version 3, the first that tells who asks
 * for another epoch.
 */
export function initProducerId(
  id: string,
  timeoutMs: number,
  before: ProducerId,
): RawRequest<readonly (Answer & ProducerId)[]> {
  return {
    apiKey: 22,
    apiVersion: 3,
    apiName: 'InitProducerId',
    encode: encoder =>
      untagged(
        untagged(encoder())
          .writeUVarIntString(id)
          .writeInt32(timeoutMs)
          .writeInt64(String(before.producerId))
          .writeInt16(before.producerEpoch),
      ),
    decode: decoder => {
      decoder.readTaggedFields();
      decoder.readInt32();
      const code = decoder.readInt16();
      return [
        { code, producerId: BigInt(decoder.readInt64().toString()), producerEpoch: decoder.readInt16() },
      ];
    },
  };
}

/** Partitions that will be written to: AddPartitionsToTxn, version 1. The first begin a transaction. */
export function addPartitions(
  producer: TransactionalId,
  places: readonly TopicPartition[],
): RawRequest<readonly PlaceAnswer[]> {
  return {
    apiKey: 24,
    apiVersion: 1,
    apiName: 'AddPartitionsToTxn',
    encode: encoder =>
      header(encoder(), producer).writeArray(
        [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, ofTopic]) =>
          encoder()
            .writeString(topic)
            .writeArray(
              ofTopic.map(({ partition }) => partition),
              'number',
            ),
        ),
      ),
    decode: decoder => {
      decoder.readInt32();
      return decoder
        .readArray(ofTopic => {
          const topic = ofTopic.readString() ?? '';
          return ofTopic.readArray(each => ({
            topic,
            partition: each.readInt32(),
            code: each.readInt16(),
          }));
        })
        .flat();
    },
  };
}

/** The group whose offsets will be committed: AddOffsetsToTxn, version 1. */
export function addGroup(producer: TransactionalId, group: string): RawRequest<readonly Answer[]> {
  return {
    apiKey: 25,
    apiVersion: 1,
    apiName: 'AddOffsetsToTxn',
    encode: encoder => header(encoder(), producer).writeString(group),
    decode: codeAlone,
  };
}

/** Decides the transaction: EndTxn, version 1. */
export function endTransaction(producer: TransactionalId, isCommit: boolean): RawRequest<readonly Answer[]> {
  return {
    apiKey: 26,
    apiVersion: 1,
    apiName: 'EndTxn',
    encode: encoder => header(encoder(), producer).writeBoolean(isCommit),
    decode: codeAlone,
  };
}

function header(encoder: Encoder, { id, producerId, producerEpoch }: TransactionalId): Encoder {
  return encoder.writeString(id).writeInt64(String(producerId)).writeInt16(producerEpoch);
}
