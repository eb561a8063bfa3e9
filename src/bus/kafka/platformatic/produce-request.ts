import type { Connection, Reader, Writer } from '@platformatic/kafka';
import type { EncodedBatch, PartitionAnswer } from '../publishing/sequenced-producer.ts';
import type { Client } from './client.ts';
import { sendRaw } from './raw-request.ts';

export interface ProduceSettings {
  /** As the protocol writes it. */
  readonly acks: number;
  readonly timeoutMs: number;
  /** Of the transactions that batches are part of; default none. */
  readonly transactionalId?: string;
}

/**
 * Sends batches to the broker that leads their partitions: Produce, version 8. The client's own producer is not used:
 * it makes one error of an answer in which one partition failed, and numbers what it sends again anew.
 */
export async function produce(
  client: Client,
  connection: Connection,
  batches: readonly EncodedBatch[],
  settings: ProduceSettings,
): Promise<readonly PartitionAnswer[]> {
  const answer = await sendRaw(connection, {
    apiKey: 0,
    apiVersion: 8,
    encode: () => requestOf(client, batches, settings),
    decode: reader => answersIn(client, reader),
  });
  // Nothing is answered where no acknowledgement was asked for.
  if (settings.acks === 0)
    return batches.map(({ topic, partition }) => ({ topic, partition, offset: -1, error: undefined }));
  return answer;
}

function requestOf(
  { Writer: Writers }: Client,
  batches: readonly EncodedBatch[],
  { acks, timeoutMs, transactionalId }: ProduceSettings,
): Writer {
  const byTopic = [...Map.groupBy(batches, ({ topic }) => topic)];
  const request = Writers.create()
    .appendString(transactionalId ?? null, false)
    .appendInt16(acks)
    .appendInt32(timeoutMs);
  request.appendArray(
    byTopic,
    (_topics, [topic, ofTopic]) => {
      request.appendString(topic, false).appendArray(
        ofTopic,
        (_partitions, { partition, bytes }) => {
          request.appendInt32(partition).appendBytes(bytes, false);
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  if (acks === 0) request.context['noResponse'] = true;
  return request;
}

function answersIn({ ProtocolError }: Client, reader: Reader): readonly PartitionAnswer[] {
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(false);
      return reader.readArray(
        () => {
          const partition = reader.readInt32();
          const code = reader.readInt16();
          const offset = Number(reader.readInt64());
          reader.readInt64();
          reader.readInt64();
          const why = reader.readArray(
            () => [reader.readInt32(), reader.readNullableString(false)],
            false,
            false,
          );
          const text = reader.readNullableString(false) ?? why[0]?.[1] ?? null;
          const error = code === 0 ? undefined : new ProtocolError(code, text === null ? null : String(text));
          return { topic, partition, offset, error };
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  return topics.flat();
}
