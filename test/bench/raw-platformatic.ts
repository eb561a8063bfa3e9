import { Consumer, Producer } from '@platformatic/kafka';
import type { RawClient } from './raw-client.ts';

/** @platformatic/kafka alone. */
export const rawPlatformatic: RawClient = {
  name: '@platformatic/kafka',
  async producer(brokers, topic) {
    const producer = new Producer({
      clientId: 'raw',
      bootstrapBrokers: [...brokers],
      idempotent: true,
      autocreateTopics: false,
    });
    await producer.metadata({ topics: [topic] });
    return {
      send: batch =>
        producer.send({
          acks: -1,
          messages: batch.map(({ key, payload }) => ({
            topic,
            key: Buffer.from(key ?? ''),
            value: Buffer.from(payload ?? ''),
          })),
        }),
      close: () => producer.close(),
    };
  },
  async consume(brokers, topic, seen) {
    const groupId = `raw-${topic}`;
    const consumer = new Consumer({
      clientId: 'raw',
      groupId,
      bootstrapBrokers: [...brokers],
      maxWaitTime: 250,
    });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: 1000 });
    stream.on('data', ({ key, value }) => seen(key.toString(), value));
    return () => consumer.close(true);
  },
};
