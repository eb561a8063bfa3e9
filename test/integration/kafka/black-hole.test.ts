import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import type { KafkaDriverName, KafkaOptions } from '../../../src/bus/kafka/kafka-options.ts';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import type { OutgoingMessage } from '../../../src/core/message.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import type { TcpProxy } from '../../brokers/tcp-proxy.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

describeOwnKafka('a network that fails between the bus and its broker', () => {
  let kafka: KafkaCluster;
  let proxy: TcpProxy;

  beforeAll(async () => {
    kafka = await startKafka({ lines: 1 });
    const line = kafka.lines[0]?.proxies[0];
    if (line === undefined) throw new Error('there is no line to the broker');
    proxy = line;
    // A broker's first transaction waits for longer than requests may take here.
    const bus = kafkaBus({ brokers: kafka.bootstrap });
    await bus.start();
    const first = bus.transactions?.open('first');
    if (first === undefined) throw new Error('the bus has no transactions');
    await publishOne(first, { topic: await newTopic(bus), key: null, payload: null });
    await first.commit();
    await bus.stop();
  });
  afterAll(() => kafka.stop());

  describe.each(drivers)('with driver %s', (driver: KafkaDriverName) => {
    const options = (): KafkaOptions => ({
      driver,
      brokers: [proxy.address],
      connectionTimeoutMs: 1000,
      requestTimeoutMs: 1000,
      consuming: { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200 },
    });

    it.for(['stall', 'cut'] as const)('%s: nothing is lost or reordered, and health says so', async how => {
      const bus = await startedBus(options());
      const topic = await newTopic(bus, { partitions: 4 });
      const check = new DeliveryCheck(bus, topic);
      await check.start(randomUUID());
      await check.untilSeen(50, 10_000);
      proxy[how]();
      await expect.poll(async () => (await bus.health()).status, { timeout: 10_000 }).toBe('degraded');
      const before = check.stored;
      proxy.heal();
      await expect.poll(() => check.stored, { timeout: 20_000 }).toBeGreaterThan(before + 100);
      const { lost, reordered, refused } = await check.verdict(20_000);
      expect({ lost, reordered, refused }).toEqual({ lost: [], reordered: [], refused: 0 });
    });

    // Kills: a client that waits for ever for an answer over a connection that only it takes for alive.
    it('connections that stay half-dead are left for new ones, and nothing is lost or reordered', async () => {
      const bus = await startedBus(options());
      const topic = await newTopic(bus, { partitions: 4 });
      const check = new DeliveryCheck(bus, topic);
      await check.start(randomUUID());
      await check.untilSeen(50, 10_000);
      proxy.forsake();
      await check.untilSeen(check.stored + 500, 40_000);
      const { lost, reordered, refused } = await check.verdict(20_000);
      expect({ lost, reordered, refused }).toEqual({ lost: [], reordered: [], refused: 0 });
    });

    it('what was stored and not answered is sent again, and stored once', async () => {
      const bus = await startedBus(options());
      const topic = await newTopic(bus);
      const batch = (from: number): OutgoingMessage[] =>
        Array.from({ length: 50 }, (_, i) => ({ topic, key: 'k', payload: Buffer.from(`${from + i}`) }));
      await bus.publishBatch(batch(0));
      proxy.mute();
      const sent = bus.publishBatch(batch(50));
      await expect
        .poll(async () => (await bus.health()).errors.join(), { timeout: 10_000 })
        .toContain('publishing');
      proxy.heal();
      for (const result of await sent) expect(result).toMatchObject({ ok: true });
      await bus.publishBatch(batch(100));
      const read = (await readAll(bus, topic)).map(({ payload }) => Number(textOf(payload)));
      expect(read).toEqual(Array.from({ length: 150 }, (_, i) => i));
    });

    // Kills: a commit that was sent twice, of which the first comes when the next transaction is open, and commits that.
    it('a commit that comes late commits nothing but its own', async () => {
      const bus = await startedBus(options());
      const topic = await newTopic(bus);
      const session = bus.transactions?.open(`late-${randomUUID()}`);
      if (session === undefined) throw new Error('the bus has no transactions');
      const published = (text: string): Promise<unknown> =>
        publishOne(session, { topic, key: 'k', payload: Buffer.from(text) });
      await published('first');
      await session.commit();
      await published('second');
      proxy.hold();
      await session.commit();
      await published('third');
      await proxy.release();
      await session.abort();
      await published('fourth');
      await session.commit();
      const read = (await readAll(bus, topic)).map(({ payload }) => textOf(payload));
      expect(read).toEqual(['first', 'second', 'fourth']);
      await session.close();
    });

    it('a bus that starts into a black hole is told so soon', async () => {
      proxy.stall();
      const begun = performance.now();
      await expect(startedBus(options())).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - begun).toBeLessThan(6000);
      proxy.heal();
    });

    it('a slow network only makes it slow', async () => {
      const bus = await startedBus(options());
      const topic = await newTopic(bus);
      proxy.delay(50);
      const begun = performance.now();
      await bus.publish({ topic, key: 'k', payload: null });
      expect(performance.now() - begun).toBeGreaterThan(95);
      proxy.heal();
    });
  });
});
