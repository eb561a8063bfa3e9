import type { Broker } from 'kafkajs';
import type { FetchWish } from '../driver.ts';
import type { PartitionContent } from '../records/partition-content.ts';
import { type Decoder, type Encoder, protocolError, sendRaw } from './raw-request.ts';

/** What a broker answered for one partition. */
export interface FetchAnswer extends PartitionContent {
  /** kafkajs's error where it could not be read. */
  readonly error: Error | undefined;
}

const noReplica = -1;
const noEpoch = -1;
const noSession = 0;
const sessionless = -1;
const minBytes = 1;
const maxResponseBytes = 50 * 1024 * 1024;
const readCommitted = 1;
const nothing = Buffer.alloc(0);

/**
 * Reads from the broker that leads the partitions: Fetch, version 10. kafkajs's own reads each record into objects by
 * header name, slowly and out of their order, and tells of one partition's error nothing but that there was one.
 */
export function fetchFrom(
  broker: Broker,
  wishes: readonly FetchWish[],
  maxWaitMs: number,
): Promise<readonly FetchAnswer[]> {
  return sendRaw(broker, {
    apiKey: 1,
    apiVersion: 10,
    apiName: 'Fetch',
    heldMs: maxWaitMs,
    encode: encoder =>
      encoder()
        .writeInt32(noReplica)
        .writeInt32(maxWaitMs)
        .writeInt32(minBytes)
        .writeInt32(maxResponseBytes)
        .writeInt8(readCommitted)
        .writeInt32(noSession)
        .writeInt32(sessionless)
        .writeArray(topicsOf(wishes, encoder))
        .writeArray([]),
    decode: contentsOf,
  });
}

function topicsOf(wishes: readonly FetchWish[], encoder: () => Encoder): readonly Encoder[] {
  return [...Map.groupBy(wishes, ({ topic }) => topic)].map(([topic, ofTopic]) =>
    encoder()
      .writeString(topic)
      .writeArray(
        ofTopic.map(({ partition, offset, maxBytes }) =>
          encoder()
            .writeInt32(partition)
            .writeInt32(noEpoch)
            .writeInt64(String(offset))
            .writeInt64('-1')
            .writeInt32(maxBytes),
        ),
      ),
  );
}

function contentsOf(decoder: Decoder): readonly FetchAnswer[] {
  decoder.readInt32(); // throttle time
  const error = protocolError(decoder.readInt16(), null);
  if (error !== undefined) throw error;
  decoder.readInt32(); // session
  return decoder
    .readArray(ofTopic => {
      const topic = ofTopic.readString() ?? '';
      return ofTopic.readArray(ofPartition => contentOf(topic, ofPartition));
    })
    .flat();
}

function contentOf(topic: string, decoder: Decoder): FetchAnswer {
  const partition = decoder.readInt32();
  const error = protocolError(decoder.readInt16(), null);
  const highWatermark = Number(decoder.readInt64().toString());
  const stableEnd = Number(decoder.readInt64().toString());
  decoder.readInt64(); // where the log begins
  const aborted = decoder.readArray(ofTransaction => ({
    producerId: BigInt(ofTransaction.readInt64().toString()),
    firstOffset: Number(ofTransaction.readInt64().toString()),
  }));
  const bytes = decoder.readBytes() ?? nothing;
  return { topic, partition, error, stableEnd, highWatermark, aborted, bytes };
}
