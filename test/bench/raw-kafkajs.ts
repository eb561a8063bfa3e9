import { Kafka, logLevel } from 'kafkajs';
import { type RawClient, changed } from './raw-client.ts';

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
  /** Each batch that it hands out, of one partition, is a transaction. */
  async pass(brokers, from, to) {
    const groupId = `raw-${from}`;
    const producer = open(brokers).producer({
      transactionalId: groupId,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    const consumer = open(brokers).consumer({ groupId, maxWaitTimeInMs: 250 });
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topics: [from], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch;
        const next = String(Number(batch.lastOffset()) + 1);
        const transaction = await producer.transaction();
        try {
          await transaction.send({
            topic: to,
            messages: messages.map(({ key, value, headers, timestamp }) => ({
              ...{ key, timestamp },
              ...(headers && { headers }),
              value: changed(value ?? Buffer.alloc(0)),
            })),
          });
          await transaction.sendOffsets({
            consumerGroupId: groupId,
            topics: [{ topic, partitions: [{ partition, offset: next }] }],
          });
          await transaction.commit();
        } catch (error) {
          await transaction.abort();
          throw error;
        }
      },
    });
    return () => Promise.all([consumer.disconnect(), producer.disconnect()]);
  },
};
