import { randomUUID } from 'node:crypto';
import { firstValueFrom, share, tap } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { settlement } from '../../../src/core/delivery.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { adminOf } from './admin.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

/** Every driver goes through the same outage. */
const onEach = <A>(work: (driver: (typeof drivers)[number]) => Promise<A>): Promise<readonly A[]> =>
  Promise.all(drivers.map(work));

describeOwnKafka('while a broker comes and goes', () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ properties: quickFailover });
  });
  afterAll(() => kafka.stop());

  const about = 'nothing is lost or reordered after %s and start';
  it.for(['kill', 'stop'] as const)(about, { timeout: 120_000 }, async how => {
    const checks = await onEach(async driver => {
      const bus = await startedBus({
        brokers: kafka.bootstrap,
        driver,
        consuming: { heartbeatIntervalMs: 200 },
      });
      const check = new DeliveryCheck(bus, await newTopic(bus, { partitions: 4 }));
      await check.start(randomUUID());
      return { driver, bus, check };
    });
    for (const { check } of checks)
      await expect.poll(() => check.seen, { timeout: 30_000 }).toBeGreaterThan(100);
    const [broker] = kafka.brokers;
    await broker![how]();
    const away = checks.map(({ check }) => check.stored);
    for (const { bus, check } of checks) {
      await expect
        .poll(async () => (await bus.health()).errors.join(), { timeout: 10_000 })
        .toMatch(/publishing|asked/);
      expect((await bus.health()).status).toBe('degraded');
      expect(check.underWay).toBeGreaterThan(0);
    }
    await broker!.start();
    for (const [i, { check }] of checks.entries())
      await expect.poll(() => check.stored, { timeout: 20_000 }).toBeGreaterThan((away[i] ?? 0) + 200);
    for (const { driver, bus, check } of checks) {
      const { lost, reordered, refused, duplicates } = await check.verdict(20_000);
      expect({ driver, lost, reordered, refused }).toEqual({ driver, lost: [], reordered: [], refused: 0 });
      expect(duplicates).toBeLessThan(200);
      await expect.poll(async () => (await bus.health()).errors, { timeout: 10_000 }).toEqual([]);
    }
  });

  it('messages wait while it is away, and past deliveryTimeoutMs are refused as publish-timeout', async () => {
    const waiting = await onEach(async driver => {
      const bus = await startedBus({
        brokers: kafka.bootstrap,
        driver,
        publishing: { deliveryTimeoutMs: 1500 },
      });
      const first = { topic: await newTopic(bus), key: 'k', payload: Buffer.from('1') };
      await bus.publish(first);
      return { bus, first };
    });
    const [broker] = kafka.brokers;
    await broker!.kill();
    await Promise.all(
      waiting.map(async ({ bus, first }) => {
        const begun = performance.now();
        await expect(bus.publish(first)).rejects.toMatchObject({ code: 'publish-timeout', retryable: true });
        expect(performance.now() - begun).toBeGreaterThan(1400);
        expect(performance.now() - begun).toBeLessThan(5000);
      }),
    );
    await broker!.start();
  });

  it('a bus that starts meanwhile is told so soon', async () => {
    const [broker] = kafka.brokers;
    await broker!.stop();
    await onEach(async driver => {
      const begun = performance.now();
      await expect(startedBus({ brokers: kafka.bootstrap, driver })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(kafka.bootstrap[0] ?? '') as string,
      });
      expect(performance.now() - begun).toBeLessThan(11_000);
    });
    await broker!.start();
  });

  it('a member that leaves meanwhile is not in its group when it is back', { timeout: 90_000 }, async () => {
    const groups = await onEach(async driver => {
      const consuming = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 };
      const bus = await startedBus({ brokers: kafka.bootstrap, driver, consuming });
      const topic = await newTopic(bus, { partitions: 4 });
      const group = randomUUID();
      const got$ = bus.source(topic, { group }).pipe(
        tap(delivery => delivery[settlement].ack()),
        share(),
      );
      const reading = got$.subscribe();
      const first = firstValueFrom(got$);
      await bus.publish({ topic, key: 'k', payload: Buffer.from('1') });
      await first;
      return { bus, group, reading };
    });
    const [broker] = kafka.brokers;
    await broker!.kill();
    for (const { bus } of groups) {
      await expect
        .poll(async () => (await bus.health()).errors.join(), { timeout: 20_000 })
        .toContain('membership of');
    }
    for (const { reading } of groups) reading.unsubscribe();
    await broker!.start();
    const admin = await adminOf(kafka.bootstrap);
    const states = async (): Promise<readonly string[]> =>
      (await admin.describeGroups(groups.map(({ group }) => group))).groups.map(({ state }) => state);
    // The one that is gone is waited for; one that has come again would stay.
    await expect.poll(states, { timeout: 40_000 }).toEqual(['Empty', 'Empty']);
  });
});
