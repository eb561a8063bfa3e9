import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

describeOwnKafka('while one broker of three is killed', () => {
  it('nothing is lost or reordered, and all goes on without it', { timeout: 150_000 }, async () => {
    const kafka = await startKafka({ brokers: 3, properties: quickFailover });
    onTestFinished(() => kafka.stop(), 60_000);
    const bus = await startedBus({
      brokers: kafka.bootstrap,
      consuming: { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200 },
    });
    const topic = await newTopic(bus, { partitions: 6, replication: 3 });
    const check = new DeliveryCheck(bus, topic);
    await check.start(randomUUID());
    await expect.poll(() => check.seen, { timeout: 20_000 }).toBeGreaterThan(100);
    await kafka.brokers[1]!.kill();
    const away = check.stored;
    await expect.poll(() => check.stored, { timeout: 40_000 }).toBeGreaterThan(away + 1000);
    const { lost, reordered, refused } = await check.verdict(40_000);
    expect({ lost, reordered, refused }).toEqual({ lost: [], reordered: [], refused: 0 });
  });
});
