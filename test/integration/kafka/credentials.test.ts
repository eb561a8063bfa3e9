import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import type { KafkaOptions } from '../../../src/bus/kafka/kafka-options.ts';
import type { Secret } from '../../../src/bus/kafka/kafka-security.ts';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import type { Receipt } from '../../../src/core/publisher.ts';
import { makeCertificates } from '../../brokers/kafka/certificates.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { acls } from './acls.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

const secret = 'alice-secret';
const wrong = 'not-her-secret';

/** A token without a signature, good for so many seconds from now. */
function tokenOf(sub: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub, iat: now - 7200, exp: now + seconds };
  const encoded = [{ alg: 'none' }, claims].map(part =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return `${encoded.join('.')}.`;
}

describeOwnKafka('a bus with credentials', () => {
  let kafka: KafkaCluster;
  let tls: { readonly ca: { readonly file: string } };

  beforeAll(async () => {
    kafka = await startKafka({
      security: {
        sasl: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
        tls: 'server',
        acls: true,
        users: [
          { name: 'admin', password: 'admin-secret', superUser: true },
          { name: 'alice', password: secret },
        ],
      },
    });
    tls = { ca: { file: kafka.certificates?.ca ?? '' } };
  });
  afterAll(() => kafka.stop());

  describe.each(drivers)('with driver %s', driver => {
    const as = (
      mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
      username: string,
      password: Secret,
    ): KafkaOptions => ({
      brokers: kafka.bootstrap,
      driver,
      security: { tls, sasl: { mechanism, username, password } },
    });

    it.for(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'is let in, or refused, by %s',
      async mechanism => {
        const bus = await startedBus(as(mechanism, 'alice', secret));
        expect((await bus.health()).status).toBe('running');
        const refused: unknown = await kafkaBus(as(mechanism, 'alice', wrong))
          .start()
          .catch((error: unknown) => error);
        expect(refused).toMatchObject({ code: 'unauthorized' });
        expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toContain(wrong);
      },
    );

    it('is let in by a token that is asked for at each connection, and refused by one that has run out', async () => {
      let asked = 0;
      const by = (token: () => string): KafkaOptions => ({
        brokers: kafka.bootstrap,
        driver,
        security: {
          tls,
          sasl: {
            mechanism: 'oauthbearer',
            token: () => {
              asked++;
              return Promise.resolve(token());
            },
          },
        },
      });
      const bus = await startedBus(by(() => tokenOf('alice', 3600)));
      expect((await bus.health()).status).toBe('running');
      expect(asked).toBeGreaterThan(0);
      const expired = tokenOf('alice', -3600);
      const refused: unknown = await kafkaBus(by(() => expired))
        .start()
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'unauthorized' });
      expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toContain(expired);
    });

    it('takes a password that has changed in its file without a restart of the process', async () => {
      const file = join(dirname(tls.ca.file), `password-${randomUUID()}`);
      await writeFile(file, `${wrong}\n`);
      const bus = kafkaBus(as('scram-sha-512', 'alice', { file }));
      await expect(bus.start()).rejects.toMatchObject({ code: 'unauthorized' });
      await writeFile(file, `${secret}\n`);
      await bus.start();
      await bus.stop();
    });

    // Kills: a variable whose name is taken for the secret, and one that is read when the bus is made and not again.
    it('takes a password from an environment variable, and is refused by a wrong one, or none', async () => {
      onTestFinished(() => void vi.unstubAllEnvs());
      const env = `ALICE_${driver.toUpperCase()}`;
      vi.stubEnv(env, undefined);
      const bus = kafkaBus(as('scram-sha-512', 'alice', { env }));
      await expect(bus.start()).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`${env} is not set`) as string,
      });
      vi.stubEnv(env, wrong);
      const refused: unknown = await bus.start().catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'unauthorized' });
      expect(String(refused)).toMatch(/authentic/i);
      expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toContain(wrong);
      vi.stubEnv(env, secret);
      await bus.start();
      onTestFinished(() => bus.stop());
      expect(await bus.health()).toMatchObject({ status: 'running', errors: [] });
    });

    it('names the place of a secret that cannot be read', async () => {
      const file = join(dirname(tls.ca.file), 'nowhere');
      await expect(kafkaBus(as('plain', 'alice', { file })).start()).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(file) as string,
      });
    });

    // Kills: a connection that trusts anybody, and a refusal that does not say what of.
    it('tells nothing to a broker whose authority it does not know, and says so', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'other-authority-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const { ca } = await makeCertificates(folder, []);
      for (const trusted of [true, { ca: { file: ca } }]) {
        const options = as('plain', 'alice', secret);
        const bus = kafkaBus({ ...options, security: { ...options.security, tls: trusted } });
        await expect(bus.start()).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringMatching(/certificate.*: let security\.tls\.ca name the authority/) as string,
        });
      }
    });

    it('does not hang where it speaks plainly to a port of TLS', async () => {
      const plainly = kafkaBus({ brokers: kafka.bootstrap, driver, connectionTimeoutMs: 1500 });
      const begun = performance.now();
      await expect(plainly.start()).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - begun).toBeLessThan(10_000);
    });

    it('tells who may not which right is lacking on which topic or group', async () => {
      const admin = await startedBus(as('plain', 'admin', 'admin-secret'));
      const topic = await newTopic(admin);
      const grants = await acls(kafka, tls.ca.file);
      await grants.allow('alice', 'DESCRIBE', 'topic', topic);

      const bus = await startedBus(as('plain', 'alice', secret));
      await expect(bus.publish({ topic, key: 'k', payload: null })).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringMatching(
          new RegExp(`publishing to ${topic}: .*grant Write on topic ${topic}`),
        ) as string,
      });
      await expect(firstValueFrom(bus.source(topic))).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`grant Read on topic ${topic}`) as string,
      });
      const group = `group-${randomUUID()}`;
      await expect(firstValueFrom(bus.source(topic, { group }))).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`grant Read on group ${group}`) as string,
      });
      await grants.allow('alice', 'WRITE', 'topic', topic);
      expect(await bus.publish({ topic, key: 'k', payload: null })).toMatchObject({ topic });
      expect(JSON.stringify(await bus.health())).not.toContain(secret);
    });

    it('tells who may not commit by transactions which right is lacking', async () => {
      const topic = await newTopic(await startedBus(as('plain', 'admin', 'admin-secret')));
      const grants = await acls(kafka, tls.ca.file);
      await grants.allow('alice', 'WRITE', 'topic', topic);
      const bus = await startedBus(as('plain', 'alice', secret));
      const id = `paying-${randomUUID()}`;
      const paid = async (): Promise<Receipt> => {
        const session = bus.transactions?.open(id);
        if (session === undefined) throw new Error('no transactions');
        try {
          const receipt = await publishOne(session, { topic, key: 'k', payload: null });
          await session.commit();
          return receipt;
        } finally {
          await session.close();
        }
      };
      await expect(paid()).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`grant Write on transactional id ${id}`) as string,
      });
      await grants.allow('alice', 'WRITE', 'transactional id', `${id}.cryptorun`);
      await expect(paid()).resolves.toMatchObject({ topic });
    });
  });
});
