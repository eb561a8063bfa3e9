import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { adminOf } from './admin.ts';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';

describeKafka('the broker that tests share', () => {
  it('makes topics, and is reached where it says', async () => {
    const admin = await adminOf(kafkaBrokers());
    const topic = `harness-${randomUUID()}`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
    await admin.deleteTopics({ topics: [topic] });
    const { brokers } = await admin.describeCluster();
    expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual(
      expect.arrayContaining(kafkaBrokers()),
    );
  });
});
