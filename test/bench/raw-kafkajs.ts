import { Kafka, logLevel } from 'kafkajs';
import type { RawClient } from './raw-client.ts';

const open = (brokers: readonly string[]): Kafka =>
  new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });

/** kafkajs alone. */
export const rawKafkaJs: RawClient = {
  name: 'kafkajs',
  async producer(brokers, topic) {
    const producer = open(brokers).producer({ idempotent: true, allowAutoTopicCreation: false });
    await producer.connect();
    return {
      send: batch =>
        producer.send({
          topic,
          messages: batch.map(({ key, payload }) => ({
            key,
            value: payload === null ? null : Buffer.from(payload),
          })),
        }),
      close: () => producer.disconnect(),
    };
  },
  async consume(brokers, topic, seen) {
    const consumer = open(brokers).consumer({ groupId: `raw-${topic}`, maxWaitTimeInMs: 250 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    let committedAt = performance.now();
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 12,
      eachBatch: async given => {
        for (const { key, value } of given.batch.messages) seen(key?.toString(), value ?? Buffer.alloc(0));
        if (performance.now() - committedAt < 1000) return;
        committedAt = performance.now();
        const offsets = given
          .uncommittedOffsets()
          .topics.flatMap(({ topic: of, partitions }) => partitions.map(each => ({ topic: of, ...each })));
        await consumer.commitOffsets(offsets);
      },
    });
    return () => consumer.disconnect();
  },
};
