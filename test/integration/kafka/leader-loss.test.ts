import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

/** Over all partitions of a topic, once each has a leader. */
async function copiesOf(bus: EventBus, topic: string): Promise<{ replicas: number; inSync: number }> {
  const { partitions } = await bus.getTopicInfo(topic);
  const sum = (what: 'replicas' | 'inSync'): number =>
    partitions.reduce((total, partition) => total + (partition[what]?.length ?? 0), 0);
  return { replicas: sum('replicas'), inSync: sum('inSync') };
}

describeOwnKafka('while one broker of three is killed', () => {
  it(
    'nothing is lost or reordered, all goes on without it, and health tells what is missing',
    { timeout: 150_000 },
    async () => {
      const kafka = await startKafka({ brokers: 3, properties: quickFailover });
      onTestFinished(() => kafka.stop(), 60_000);
      const checks = await onEach(async driver => {
        const bus = await startedBus({
          brokers: kafka.bootstrap,
          driver,
          consuming: { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200 },
        });
        const topic = await newTopic(bus, { partitions: 6, replication: 3 });
        const check = new DeliveryCheck(bus, topic);
        await check.start(randomUUID());
        expect(await copiesOf(bus, topic)).toEqual({ replicas: 18, inSync: 18 });
        return { driver, bus, topic, check };
      });
      for (const { check } of checks) await check.untilSeen(100, 40_000);
      await kafka.brokers[1]!.kill();
      const away = checks.map(({ check }) => check.stored);
      for (const [i, { check }] of checks.entries())
        await expect.poll(() => check.stored, { timeout: 40_000 }).toBeGreaterThan((away[i] ?? 0) + 1000);
      for (const { bus, topic } of checks) {
        const health = async (): Promise<object> => (await bus.health()).metrics;
        await expect
          .poll(health, { timeout: 20_000 })
          .toMatchObject({ connectedBrokers: 2, underReplicatedPartitions: 6 });
        expect(await copiesOf(bus, topic)).toEqual({ replicas: 18, inSync: 12 });
      }
      for (const { driver, check } of checks) {
        const { lost, reordered, refused } = await check.verdict(40_000);
        expect({ driver, lost, reordered, refused }).toEqual({ driver, lost: [], reordered: [], refused: 0 });
      }
    },
  );
});
