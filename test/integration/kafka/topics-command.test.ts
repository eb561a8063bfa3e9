import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { startedWith } from '../../worker/started-process.ts';
import { adminOf } from './admin.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const hour = 3_600_000;

describeOwnKafka('topics on a cluster that looks at retention twice a second', () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ properties: { 'log.retention.check.interval.ms': '500' } });
  });
  afterAll(() => kafka.stop());

  async function topics(...args: string[]): Promise<{ readonly code: number | null; readonly said: string }> {
    const env = { KAFKA_BROKERS: kafka.bootstrap.join(), NO_COLOR: '1' };
    const command = startedWith(env, main, 'topics', ...args, '--backend', 'kafka');
    return { code: await command.ended, said: command.output() };
  }

  // Kills: exit codes that scripts cannot go by; drift that nobody sees; a refusal that keeps the rest from being done.
  it('are made as configured by topics apply, and topics plan tells by its exit code what differs', async () => {
    expect(await topics('plan')).toMatchObject({
      code: 4,
      said: expect.stringContaining('cryptorun-signals') as string,
    });
    expect((await topics('apply', '--yes')).code).toBe(0);
    expect((await topics('plan')).code).toBe(0);
    const admin = await adminOf(kafka.bootstrap);
    const signals = { type: ConfigResourceTypes.TOPIC, name: 'cryptorun-signals' };
    const configEntries = [{ name: 'retention.ms', value: `${hour}` }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...signals, configEntries }] });
    expect((await topics('plan')).code).toBe(4);
    await admin.createPartitions({
      topicPartitions: [{ topic: 'cryptorun-health-checks', count: 2 }],
    });
    const refused = await topics('plan');
    expect(refused).toMatchObject({
      code: 2,
      said: expect.stringContaining('partitions cannot be taken away') as string,
    });
    expect((await topics('apply', '--yes')).code).toBe(2);
    const left = (await topics('plan')).said;
    expect(left).toContain('cryptorun-health-checks');
    expect(left).not.toContain('cryptorun-signals');
  });

  // Kills: retention that goes by event time, and deletes what is replayed as soon as it is there.
  it.each(drivers)('keep what happened in 2021 and came today for a day, on %s', async driver => {
    const bus = await startedBus({ brokers: kafka.bootstrap, driver });
    const topic = await newTopic(bus, { retentionMs: 24 * hour });
    const byEventTime = `event-time-${randomUUID()}`;
    const admin = await adminOf(kafka.bootstrap);
    const entries = { 'retention.ms': `${24 * hour}`, 'message.timestamp.type': 'CreateTime' };
    const configEntries = Object.entries(entries).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic: byEventTime, numPartitions: 1, configEntries }] });
    const timestamp = Date.UTC(2021, 3, 10);
    await bus.publish({ topic, key: 'k', payload: Buffer.from('kept'), timestamp });
    const producer = new Kafka({ brokers: [...kafka.bootstrap], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: byEventTime, messages: [{ value: 'deleted', timestamp: `${timestamp}` }] });
    await producer.disconnect();
    const firstOf = async (): Promise<string | undefined> =>
      (await admin.fetchTopicOffsets(byEventTime))[0]?.low;
    await expect.poll(firstOf, { timeout: 20_000 }).toBe('1');
    const kept = await readAll(bus, topic);
    expect(kept.map(({ payload, timestamp: at }) => [textOf(payload), at])).toEqual([['kept', timestamp]]);
  });
});
