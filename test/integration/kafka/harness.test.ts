import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';

describeKafka('the broker that tests share', () => {
  it('advertises the addresses where it is reached', async () => {
    const admin = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const { brokers } = await admin.describeCluster();
    const advertised = brokers.map(({ host, port }) => `${host}:${port}`);
    expect(advertised).toEqual(expect.arrayContaining(kafkaBrokers()));
  });

  it('makes topics', async () => {
    const admin = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const topic = `harness-${randomUUID()}`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
    await admin.deleteTopics({ topics: [topic] });
  });
});
