import { createRequire } from 'node:module';
import type { Broker } from 'kafkajs';

const require = createRequire(import.meta.url);

/** The parts of kafkajs that write and read its protocol; it has no request of this kind. */
interface Encoder {
  writeInt32(value: number): Encoder;
  writeString(value: string): Encoder;
  writeArray(values: readonly unknown[], type?: string): Encoder;
}
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readBoolean(): boolean;
  readString(): string;
  readArray<A>(read: (decoder: Decoder) => A): A[];
}
interface Connection {
  send(exchange: unknown): Promise<ReadonlyMap<number, number>>;
}

const apiKey = 35;
const apiVersion = 1;

/** Bytes on a broker's disk of partitions of one topic: DescribeLogDirs, version 1. */
export function bytesOnDisk(
  broker: Broker,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const EncoderClass = require('kafkajs/src/protocol/encoder') as new () => Encoder;
  const DecoderClass = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;
  const encode = (): Promise<Encoder> =>
    Promise.resolve(
      new EncoderClass().writeArray([
        new EncoderClass().writeString(topic).writeArray([...partitions], 'number'),
      ]),
    );
  const decode = (buffer: Buffer): Promise<ReadonlyMap<number, number>> =>
    Promise.resolve(sizesIn(new DecoderClass(buffer), topic));
  const connection = (broker as unknown as { readonly connectionPool: Connection }).connectionPool;
  return connection.send({
    request: { apiKey, apiVersion, apiName: 'DescribeLogDirs', encode },
    response: { decode, parse: (sizes: unknown) => Promise.resolve(sizes) },
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
