import { Consumer, type Message, Producer } from '@platformatic/kafka';
import { type RawClient, changed, gathering } from './raw-client.ts';

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
  /** What has come while one transaction was under way is the next. */
  async pass(brokers, from, to) {
    const groupId = `raw-${from}`;
    const common = { clientId: 'raw', bootstrapBrokers: [...brokers] };
    const producer = new Producer({
      ...common,
      transactionalId: groupId,
      idempotent: true,
      autocreateTopics: false,
    });
    const consumer = new Consumer({ ...common, groupId, maxWaitTime: 250 });
    const stream = await consumer.consume({ topics: [from], mode: 'earliest', autocommit: false });
    const passOn = gathering<Message>(async batch => {
      const transaction = await producer.beginTransaction();
      await transaction.addConsumer(consumer);
      await transaction.send({
        acks: -1,
        messages: batch.map(({ key, value, headers, timestamp }) => ({
          ...{ topic: to, key, headers, timestamp },
          value: changed(value),
        })),
      });
      const last = new Map(batch.map(message => [message.partition, message]));
      // One after the other: it takes those that are under way together for the same.
      for (const message of last.values()) await transaction.addOffset(message);
      await transaction.commit();
    });
    stream.on('data', message => passOn([message]));
    return async () => {
      await consumer.close(true);
      await producer.close();
    };
  },
};
