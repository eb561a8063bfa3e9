import type { Connection, Reader, Writer } from '@platformatic/kafka';
import type { FetchWish } from '../driver.ts';
import type { PartitionContent } from '../records/partition-content.ts';
import type { Client } from './client.ts';
import { sendRaw } from './raw-request.ts';

const readCommitted = 1;
const noReplica = -1;
const [noSession, noEpoch] = [0, -1];
const maxResponseBytes = 50 * 1024 * 1024;

/** What a broker sent of one partition. */
export interface FetchAnswer extends PartitionContent {
  /** The protocol's error where it sent nothing. */
  readonly error: Error | undefined;
}

/** Asks a broker for what its partitions hold: Fetch, version 11. */
export function fetch(
  client: Client,
  connection: Connection,
  wishes: readonly FetchWish[],
  maxWaitMs: number,
): Promise<readonly FetchAnswer[]> {
  return sendRaw(connection, {
    apiKey: 1,
    apiVersion: 11,
    encode: () => requestOf(client, wishes, maxWaitMs),
    decode: reader => answersIn(client, reader),
  });
}

function requestOf({ Writer: Writers }: Client, wishes: readonly FetchWish[], maxWaitMs: number): Writer {
  const byTopic = [...Map.groupBy(wishes, ({ topic }) => topic)];
  const request = Writers.create()
    .appendInt32(noReplica)
    .appendInt32(maxWaitMs)
    .appendInt32(1)
    .appendInt32(maxResponseBytes)
    .appendInt8(readCommitted)
    .appendInt32(noSession)
    .appendInt32(noEpoch);
  request.appendArray(
    byTopic,
    (_topics, [topic, ofTopic]) => {
      request.appendString(topic, false).appendArray(
        ofTopic,
        (_partitions, { partition, offset, maxBytes }) => {
          request
            .appendInt32(partition)
            .appendInt32(noEpoch)
            .appendInt64(BigInt(offset))
            .appendInt64(-1n)
            .appendInt32(maxBytes);
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  return request.appendArray([], () => undefined, false, false).appendString('', false);
}

function answersIn(client: Client, received: Reader): readonly FetchAnswer[] {
  // In one piece: what was received in many is put together once.
  const body = received.buffer.slice(received.position);
  const reader = client.Reader.from(body);
  reader.readInt32();
  const code = reader.readInt16();
  if (code !== 0) throw new client.ProtocolError(code);
  reader.readInt32();
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(false);
      return reader.readArray(() => answerIn(client, reader, body, topic), false, false);
    },
    false,
    false,
  );
  return topics.flat();
}

function answerIn({ ProtocolError }: Client, reader: Reader, body: Buffer, topic: string): FetchAnswer {
  const partition = reader.readInt32();
  const code = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const stableEnd = Number(reader.readInt64());
  reader.readInt64();
  const aborted = reader.readNullableArray(
    () => ({ producerId: reader.readInt64(), firstOffset: Number(reader.readInt64()) }),
    false,
    false,
  );
  reader.readInt32();
  const length = Math.max(0, reader.readInt32());
  const bytes = body.subarray(reader.position, reader.position + length);
  reader.skip(length);
  const error = code === 0 ? undefined : new ProtocolError(code, null, { topic, partition });
  return { topic, partition, error, stableEnd, highWatermark, aborted: aborted ?? [], bytes };
}
