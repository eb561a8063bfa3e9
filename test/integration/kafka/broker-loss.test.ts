import { randomUUID } from 'node:crypto';
import { firstValueFrom, share, tap } from 'rxjs';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { Acceptance } from '../../../src/spill/acceptance.ts';
import { createSpillingPublisher } from '../../../src/spill/create-spilling-publisher.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { adminOf } from './admin.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { temporaryFolder } from '../../spill/temporary-spill.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

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
    for (const { check } of checks) await check.untilSeen(100, 30_000);
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
      const { published, lost, reordered, refused, duplicates } = await check.verdict(20_000);
      expect({ driver, lost, reordered, refused }).toEqual({ driver, lost: [], reordered: [], refused: 0 });
      // What was handled since the last commit, and not all from the beginning: how long that is, the machine says.
      expect(duplicates).toBeLessThan(published / 2);
      await expect.poll(async () => (await bus.health()).errors, { timeout: 10_000 }).toEqual([]);
    }
  });

  // Kills: a member that is not heard to leave: its group waits for it, from the broker's return on, for a session.
  it(
    'reading goes on at once when it is back, though it was away for longer than a session',
    {
      timeout: 180_000,
    },
    async () => {
      const sessionTimeoutMs = 15_000;
      const checks = await onEach(async driver => {
        const bus = await startedBus({
          brokers: kafka.bootstrap,
          driver,
          consuming: { sessionTimeoutMs, heartbeatIntervalMs: 200 },
          publishing: { deliveryTimeoutMs: 120_000 },
        });
        const check = new DeliveryCheck(bus, await newTopic(bus, { partitions: 4 }));
        await check.start(randomUUID());
        await check.untilSeen(100, 30_000);
        return { driver, bus, check };
      });
      const [broker] = kafka.brokers;
      await broker!.kill();
      const restarts = async (bus: EventBus): Promise<number> =>
        (await bus.health()).metrics.consumerRestarts ?? 0;
      for (const { bus } of checks) {
        const patience = { timeout: 2 * sessionTimeoutMs };
        await expect.poll(() => restarts(bus), patience).toBeGreaterThan(0);
      }
      const seen = checks.map(({ check }) => check.seen);
      await broker!.start();
      for (const [at, { driver, check }] of checks.entries()) {
        const patience = { timeout: sessionTimeoutMs - 5_000, message: driver };
        await expect.poll(() => check.seen, patience).toBeGreaterThan((seen[at] ?? 0) + 100);
      }
      for (const { driver, check } of checks) {
        const { lost, reordered, refused } = await check.verdict(20_000);
        expect({ driver, lost, reordered, refused }).toEqual({ driver, lost: [], reordered: [], refused: 0 });
      }
    },
  );

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

  it(
    'a spilling publisher accepts all the same, and brings it in the order of its keys',
    { timeout: 90_000 },
    async () => {
      const [broker] = kafka.brokers;
      const [keys, third] = [7, 210];
      const spills = await onEach(async driver => {
        const bus = await startedBus({
          brokers: kafka.bootstrap,
          driver,
          publishing: { deliveryTimeoutMs: 1500 },
        });
        const topic = await newTopic(bus, { partitions: 3 });
        const publisher = await createSpillingPublisher(bus, { dir: temporaryFolder(), spillAfterMs: 300 });
        onTestFinished(() => publisher.close());
        const publish = (from: number): Promise<readonly Acceptance[]> =>
          Promise.all(
            Array.from({ length: third }, (_, at) => {
              const payload = Buffer.from(String(from + at));
              return publisher.publish({ topic, key: `k${(from + at) % keys}`, payload });
            }),
          );
        return { driver, bus, topic, publisher, publish };
      });
      for (const { publish, publisher } of spills) {
        await publish(0);
        // A slow broker is one that is away, to a publisher that waits for so short a time.
        await expect.poll(() => publisher.status().isSpilling, { timeout: 10_000 }).toBe(false);
      }
      await broker!.kill();
      for (const { driver, publish, publisher } of spills) {
        const told = await publish(third);
        expect({ driver, spilled: told.filter(({ tag }) => tag === 'spilled').length }).toEqual({
          driver,
          spilled: third,
        });
        expect(publisher.status()).toMatchObject({ isSpilling: true, spilled: third });
      }
      const late = spills.map(({ publish }) => publish(2 * third));
      await broker!.start();
      for (const told of await Promise.all(late)) expect(told).toHaveLength(third);
      for (const { driver, bus, topic, publisher } of spills) {
        await expect.poll(() => publisher.status().isSpilling, { timeout: 60_000 }).toBe(false);
        const firsts = new Map<string, number[]>();
        for (const { key, payload } of await readAll(bus, topic)) {
          const numbers = firsts.get(key ?? '') ?? [];
          const number = Number(textOf(payload));
          if (!numbers.includes(number)) firsts.set(key ?? '', [...numbers, number]);
        }
        const expected = Array.from({ length: keys }, (_, key) =>
          Array.from({ length: (3 * third) / keys }, (_, at) => key + at * keys),
        );
        expect({ driver, stored: [...firsts.entries()].sort().map(([, numbers]) => numbers) }).toEqual({
          driver,
          stored: expected,
        });
      }
    },
  );

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
