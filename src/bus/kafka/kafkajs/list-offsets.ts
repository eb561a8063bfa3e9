import type { Broker } from 'kafkajs';
import { type WhichOffset, askedTime } from '../which-offset.ts';
import { type Decoder, protocolError, sendRaw } from './raw-request.ts';

const readCommitted = 1;
const noReplica = -1;

/**
 * One offset of each of these partitions, as the broker that leads them tells; -1 where there is none such:
 * ListOffsets, version 2. kafkajs's own asks a leader that has moved for minutes on end, and gives up on a new one
 * that has not heard of its office yet.
 *
 * @throws kafkajs's error
 */
export function listOffsets(
  broker: Broker,
  topic: string,
  partitions: readonly number[],
  which: WhichOffset,
): Promise<ReadonlyMap<number, number>> {
  const time = String(askedTime(which));
  return sendRaw(broker, {
    apiKey: 2,
    apiVersion: 2,
    apiName: 'ListOffsets',
    encode: encoder =>
      encoder()
        .writeInt32(noReplica)
        .writeInt8(readCommitted)
        .writeArray([
          encoder()
            .writeString(topic)
            .writeArray(partitions.map(partition => encoder().writeInt32(partition).writeInt64(time))),
        ]),
    decode: offsetsIn,
  });
}

function offsetsIn(decoder: Decoder): ReadonlyMap<number, number> {
  decoder.readInt32();
  const offsets = new Map<number, number>();
  decoder.readArray(ofTopic => {
    ofTopic.readString();
    ofTopic.readArray(ofPartition => {
      const partition = ofPartition.readInt32();
      const error = protocolError(ofPartition.readInt16(), null);
      if (error !== undefined) throw error;
      ofPartition.readInt64();
      offsets.set(partition, Number(ofPartition.readInt64().toString()));
    });
  });
  return offsets;
}
