import type { Connection, Reader, Writer } from '@platformatic/kafka';
import type { TopicPartition } from '../../event-bus.ts';
import type { OpenTransaction, PartitionTransactions } from '../transactions/transaction-ends.ts';
import type { Client } from './client.ts';
import { sendRaw } from './raw-request.ts';

/**
 * The transactions that are open in partitions, as their leader knows them: DescribeProducers, version 0. The client's
 * own makes one error of an answer in which one partition is refused.
 */
export function openTransactions(
  { Writer: Writers, ProtocolError }: Client,
  connection: Connection,
  places: readonly TopicPartition[],
): Promise<readonly PartitionTransactions[]> {
  return sendRaw(connection, {
    apiKey: 61,
    apiVersion: 0,
    isFlexible: true,
    encode: () => appendPlaces(Writers.create(), places).appendTaggedFields(),
    decode: reader => {
      reader.readInt32();
      return readTopics(reader, (topic, partition) => {
        const [code, text] = [reader.readInt16(), reader.readNullableString()];
        const open = reader
          .readArray(() => readProducer(reader))
          .filter(({ startOffset }) => startOffset >= 0)
          .map(producer => ({ ...producer, topic, partition }));
        const error = code === 0 ? undefined : new ProtocolError(code, text);
        return { topic, partition, error, open };
      });
    },
  });
}

/** Ends a transaction in one partition: WriteTxnMarkers, version 1. @throws the client's error */
export async function writeMarker(
  { Writer: Writers, ProtocolError }: Client,
  connection: Connection,
  { producerId, producerEpoch, coordinatorEpoch, ...place }: OpenTransaction,
  isCommit: boolean,
): Promise<void> {
  const codes = await sendRaw(connection, {
    apiKey: 27,
    apiVersion: 1,
    isFlexible: true,
    encode: () => {
      const request = Writers.create();
      request.appendArray([place], () => {
        request.appendInt64(producerId).appendInt16(producerEpoch).appendBoolean(isCommit);
        appendPlaces(request, [place]).appendInt32(Math.max(0, coordinatorEpoch));
      });
      return request.appendTaggedFields();
    },
    decode: reader =>
      reader
        .readArray(() => {
          reader.readInt64();
          return readTopics(reader, () => reader.readInt16());
        })
        .flat(),
  });
  const refused = codes.find(code => code !== 0);
  if (refused !== undefined) throw new ProtocolError(refused);
}

/** Where it has nothing open its start is -1. */
function readProducer(reader: Reader): Omit<OpenTransaction, keyof TopicPartition> {
  const [producerId, producerEpoch] = [reader.readInt64(), reader.readInt32()];
  reader.readInt32();
  reader.readInt64();
  const [coordinatorEpoch, startOffset] = [reader.readInt32(), Number(reader.readInt64())];
  return { producerId, producerEpoch, coordinatorEpoch, startOffset };
}

function appendPlaces(writer: Writer, places: readonly TopicPartition[]): Writer {
  const byTopic = [...Map.groupBy(places, ({ topic }) => topic)];
  return writer.appendArray(byTopic, (_topics, [topic, ofTopic]) => {
    writer.appendString(topic).appendArray(
      ofTopic,
      (_partitions, { partition }) => {
        writer.appendInt32(partition);
      },
      true,
      false,
    );
  });
}

/** What an answer says of each partition, behind its number. */
function readTopics<A>(reader: Reader, read: (topic: string, partition: number) => A): readonly A[] {
  return reader
    .readArray(() => {
      const topic = reader.readString();
      return reader.readArray(() => read(topic, reader.readInt32()));
    })
    .flat();
}
