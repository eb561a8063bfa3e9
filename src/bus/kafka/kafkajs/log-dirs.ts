import type { Broker } from 'kafkajs';
import { type Decoder, sendRaw } from './raw-request.ts';

/** Bytes on a broker's disk of partitions of one topic: DescribeLogDirs, version 1. */
export function bytesOnDisk(
  broker: Broker,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  return sendRaw(broker, {
    apiKey: 35,
    apiVersion: 1,
    apiName: 'DescribeLogDirs',
    encode: encoder =>
      encoder().writeArray([
        encoder()
          .writeString(topic)
          .writeArray([...partitions], 'number'),
      ]),
    decode: decoder => sizesIn(decoder, topic),
  });
}

function sizesIn(decoder: Decoder, topic: string): ReadonlyMap<number, number> {
  decoder.readInt32();
  const sizes = new Map<number, number>();
  decoder.readArray(dir => {
    dir.readInt16();
    dir.readString();
    dir.readArray(ofTopic => {
      const isIt = ofTopic.readString() === topic;
      ofTopic.readArray(ofPartition => {
        const partition = ofPartition.readInt32();
        const size = Number(ofPartition.readInt64().toString());
        ofPartition.readInt64();
        const isFuture = ofPartition.readBoolean();
        if (isIt && !isFuture) sizes.set(partition, size);
      });
    });
  });
  return sizes;
}
