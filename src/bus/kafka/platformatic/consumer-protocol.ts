import type { TopicPartition } from '../../event-bus.ts';
import type { Client } from './client.ts';

/** What members of groups of consumers tell each other, as Kafka's own tools read it too. */

/** What a member wants and has. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly userData: Buffer;
  readonly owned: readonly TopicPartition[];
}

/** The version of these texts that tells what a member has. */
const version = 1;

export function encodeSubscription({ Writer }: Client, { topics, userData, owned }: Subscription): Buffer {
  const writer = Writer.create().appendInt16(version);
  writer.appendArray([...topics], (_, topic) => void writer.appendString(topic, false), false, false);
  writer.appendBytes(userData, false);
  appendPlaces(writer, owned);
  return writer.buffer;
}

/** The topics of a member and what it tells beside them. */
export function decodeSubscription(
  { Reader }: Client,
  bytes: Buffer,
): { readonly topics: readonly string[]; readonly userData: Buffer | undefined } {
  const reader = Reader.from(bytes);
  reader.readInt16();
  const topics = reader.readArray(() => reader.readString(false), false, false);
  return { topics, userData: reader.readNullableBytes(false) ?? undefined };
}

export function encodeAssignment({ Writer }: Client, places: readonly TopicPartition[]): Buffer {
  const writer = Writer.create().appendInt16(version);
  appendPlaces(writer, places);
  writer.appendBytes(null, false);
  return writer.buffer;
}

/** None where nothing was assigned. */
export function decodeAssignment({ Reader }: Client, bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return [];
  const reader = Reader.from(bytes);
  reader.readInt16();
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(false);
      const partitions = reader.readArray(() => reader.readInt32(), false, false);
      return partitions.map(partition => ({ topic, partition }));
    },
    false,
    false,
  );
  return topics.flat();
}

function appendPlaces(
  writer: ReturnType<Client['Writer']['create']>,
  places: readonly TopicPartition[],
): void {
  const byTopic = [...Map.groupBy(places, ({ topic }) => topic)];
  writer.appendArray(
    byTopic,
    (_, [topic, ofTopic]) => {
      writer
        .appendString(topic, false)
        .appendArray(
          ofTopic,
          (_partitions, { partition }) => void writer.appendInt32(partition),
          false,
          false,
        );
    },
    false,
    false,
  );
}
