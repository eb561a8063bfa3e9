import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

describeOwnKafka('while one broker of three is killed', () => {
  it('nothing is lost or reordered, and all goes on without it', { timeout: 150_000 }, async () => {
    const kafka = await startKafka({ brokers: 3, properties: quickFailover });
    onTestFinished(() => kafka.stop(), 60_000);
    const checks = await Promise.all(
      drivers.map(async driver => {
        const bus = await startedBus({
          brokers: kafka.bootstrap,
          driver,
          consuming: { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200 },
        });
        const check = new DeliveryCheck(bus, await newTopic(bus, { partitions: 6, replication: 3 }));
        await check.start(randomUUID());
        return { driver, check };
      }),
    );
    for (const { check } of checks) await check.untilSeen(100, 40_000);
    await kafka.brokers[1]!.kill();
    const away = checks.map(({ check }) => check.stored);
    for (const [i, { check }] of checks.entries())
      await expect.poll(() => check.stored, { timeout: 40_000 }).toBeGreaterThan((away[i] ?? 0) + 1000);
    for (const { driver, check } of checks) {
      const { lost, reordered, refused } = await check.verdict(40_000);
      expect({ driver, lost, reordered, refused }).toEqual({ driver, lost: [], reordered: [], refused: 0 });
    }
  });
});
