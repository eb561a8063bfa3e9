import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

describeOwnKafka('while a broker comes and goes', () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ properties: quickFailover });
  });
  afterAll(() => kafka.stop());

  describe.each(drivers)('with driver %s', driver => {
    it.for(['kill', 'stop'] as const)('nothing is lost or reordered after %s and start', async how => {
      const bus = await startedBus({
        brokers: kafka.bootstrap,
        driver,
        consuming: { heartbeatIntervalMs: 200 },
      });
      const topic = await newTopic(bus, { partitions: 4 });
      const check = new DeliveryCheck(bus, topic);
      await check.start(randomUUID());
      await expect.poll(() => check.seen, { timeout: 10_000 }).toBeGreaterThan(100);
      const [broker] = kafka.brokers;
      await broker![how]();
      const away = check.stored;
      await expect
        .poll(async () => (await bus.health()).errors.join(), { timeout: 10_000 })
        .toMatch(/publishing|asked/);
      expect((await bus.health()).status).toBe('degraded');
      expect(check.underWay).toBeGreaterThan(0);
      await broker!.start();
      await expect.poll(() => check.stored, { timeout: 20_000 }).toBeGreaterThan(away + 200);
      const { lost, reordered, refused, duplicates } = await check.verdict(20_000);
      expect({ lost, reordered, refused }).toEqual({ lost: [], reordered: [], refused: 0 });
      expect(duplicates).toBeLessThan(200);
      await expect.poll(async () => (await bus.health()).errors, { timeout: 10_000 }).toEqual([]);
    });

    it('messages wait while it is away, and past deliveryTimeoutMs are refused as publish-timeout', async () => {
      const bus = await startedBus({
        brokers: kafka.bootstrap,
        driver,
        publishing: { deliveryTimeoutMs: 1500 },
      });
      const topic = await newTopic(bus);
      const first = { topic, key: 'k', payload: Buffer.from('1') };
      await bus.publish(first);
      const [broker] = kafka.brokers;
      await broker!.kill();
      const begun = performance.now();
      await expect(bus.publish(first)).rejects.toMatchObject({ code: 'publish-timeout', retryable: true });
      expect(performance.now() - begun).toBeGreaterThan(1400);
      expect(performance.now() - begun).toBeLessThan(5000);
      await broker!.start();
    });

    it('a bus that starts meanwhile is told so soon', async () => {
      const [broker] = kafka.brokers;
      await broker!.stop();
      const begun = performance.now();
      await expect(startedBus({ brokers: kafka.bootstrap, driver })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(kafka.bootstrap[0] ?? '') as string,
      });
      expect(performance.now() - begun).toBeLessThan(11_000);
      await broker!.start();
    });
  });
});
