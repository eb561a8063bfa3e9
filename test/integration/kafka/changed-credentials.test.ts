import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import type { KafkaSecurity } from '../../brokers/kafka/security.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { copying } from './copying.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

/** Longer than a pipeline waits at most before it begins anew. */
const patiently = { timeout: 45_000, interval: 200 };
const users = [{ name: 'alice', password: 'secret-0', superUser: true }];

/** One that all tests of a group share, in a folder that can be written to. */
function secured(security: KafkaSecurity): () => { readonly kafka: KafkaCluster; readonly folder: string } {
  let parts: { readonly kafka: KafkaCluster; readonly folder: string } | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'changed-credentials-'));
    parts = { folder, kafka: await startKafka({ security, folder, properties: quickFailover }) };
  });
  afterAll(async () => {
    await parts?.kafka.stop();
    await rm(parts?.folder ?? '', { recursive: true, force: true });
  });
  return () => parts ?? expect.fail('it did not start');
}

/** Everybody has to connect anew. */
async function restarted({ brokers: [broker] }: KafkaCluster): Promise<void> {
  await broker?.kill();
  await broker?.start();
}

describeOwnKafka('a password that changes while a bus runs', () => {
  const cluster = secured({ sasl: ['PLAIN'], users });

  // Kills: secrets that are read once, when the bus starts.
  it('is read again from its file', { timeout: 120_000 }, async () => {
    const { kafka, folder } = cluster();
    const file = join(folder, 'password');
    await writeFile(file, 'secret-0');
    const copiers = await onEach(async driver => {
      const bus = await startedBus({
        brokers: kafka.bootstrap,
        driver,
        publishing: { deliveryTimeoutMs: 3_000 },
        security: { sasl: { mechanism: 'plain', username: 'alice', password: { file } } },
      });
      const [input, copies] = [await newTopic(bus), await newTopic(bus)];
      await copying(bus, input, copies);
      const seen = async () => (await readAll(bus, copies)).map(({ payload }) => textOf(payload));
      const publish = (text: string) => bus.publish({ topic: input, key: 'k', payload: Buffer.from(text) });
      await publish('before');
      await expect.poll(seen, patiently).toEqual(['before']);
      return { driver, bus, seen, publish };
    });

    const properties = join(folder, 'broker-1', 'server.properties');
    const configured = await readFile(properties, 'utf8');
    await writeFile(properties, configured.replaceAll('secret-0', 'secret-1'));
    await restarted(kafka);
    for (const { driver, bus, publish } of copiers) {
      await expect(publish('with the old password'), driver).rejects.toMatchObject({ code: 'unauthorized' });
      const { errors } = await bus.health();
      expect(errors.join(), driver).toMatch(/authentic|authoriz/i);
      expect(errors.join(), driver).not.toMatch(/secret-/);
    }

    await writeFile(file, 'secret-1');
    for (const { driver, seen, publish } of copiers) {
      await expect.poll(() => publish('after').then(() => driver, String), patiently).toBe(driver);
      // The pipeline that broke meanwhile goes on.
      await expect
        .poll(async () => ({ driver, seen: new Set(await seen()) }), patiently)
        .toEqual({ driver, seen: new Set(['before', 'after']) });
    }
  });
});

describeOwnKafka('a certificate that changes while a bus runs', () => {
  const cluster = secured({
    tls: 'mutual',
    acls: true,
    users: [{ name: 'admin', superUser: true }, { name: 'alice' }],
  });

  it('is read again from its file', { timeout: 120_000 }, async () => {
    const { kafka, folder } = cluster();
    const { ca, clients } = kafka.certificates!;
    const mine = { cert: join(folder, 'mine.pem'), key: join(folder, 'mine.key') };
    const become = async (name: string): Promise<void> => {
      const { cert, key } = clients.get(name)!;
      await Promise.all([copyFile(cert, mine.cert), copyFile(key, mine.key)]);
    };
    await become('alice');
    const tls = { ca: { file: ca }, cert: { file: mine.cert }, key: { file: mine.key } };
    const buses = await onEach(async driver => ({
      driver,
      bus: await startedBus({ brokers: kafka.bootstrap, driver, security: { tls } }),
    }));
    for (const { driver, bus } of buses)
      await expect(newTopic(bus), driver).rejects.toMatchObject({ code: 'unauthorized' });
    await become('admin');
    await restarted(kafka);
    for (const { driver, bus } of buses)
      await expect.poll(() => newTopic(bus).then(() => driver, String), patiently).toBe(driver);
  });
});
