import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { startKafka, type KafkaCluster } from '../../brokers/kafka/kafka-cluster.ts';
import type { KafkaSecurity } from '../../brokers/kafka/security.ts';
import { adminOf } from './admin.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

const users = [
  { name: 'admin', password: 'admin-secret', superUser: true },
  { name: 'alice', password: 'alice-secret' },
];

async function secured(security: KafkaSecurity): Promise<KafkaCluster> {
  const kafka = await startKafka({ security });
  onTestFinished(() => kafka.stop(), 60_000);
  return kafka;
}

function as(
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
  username: string,
  password: string,
): SASLOptions {
  return { mechanism, username, password };
}

const notAuthorized = { errors: [{ type: 'TOPIC_AUTHORIZATION_FAILED' }] };

describeOwnKafka('a cluster with security', () => {
  it('lets in who has a password, by each mechanism, over TLS', async () => {
    const { bootstrap, certificates } = await secured({
      sasl: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
      tls: 'server',
      users,
    });
    const ssl: ConnectionOptions = { ca: [readFileSync(certificates!.ca)] };
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const admin = await adminOf(bootstrap, { ssl, sasl: as(mechanism, 'alice', 'alice-secret') });
      expect((await admin.describeCluster()).brokers).toHaveLength(1);
      const wrong = adminOf(bootstrap, { ssl, sasl: as(mechanism, 'alice', 'wrong'), retry: { retries: 0 } });
      await expect(wrong).rejects.toThrow(/authentication/i);
    }
    await expect(adminOf(bootstrap, { ssl: true, retry: { retries: 0 } })).rejects.toThrow(/certificate/);
  });

  it('lets nobody but super users do what no ACL allows', async () => {
    const { bootstrap } = await secured({ sasl: ['SCRAM-SHA-512'], acls: true, users });
    const alice = await adminOf(bootstrap, { sasl: as('scram-sha-512', 'alice', 'alice-secret') });
    await expect(alice.createTopics({ topics: [{ topic: 'hers' }] })).rejects.toMatchObject(notAuthorized);
    const admin = await adminOf(bootstrap, { sasl: as('scram-sha-512', 'admin', 'admin-secret') });
    expect(await admin.createTopics({ topics: [{ topic: 'ours' }] })).toBe(true);
  });

  it('knows users by their certificates', async () => {
    const { bootstrap, certificates } = await secured({ tls: 'mutual', acls: true, users });
    const ca = [readFileSync(certificates!.ca)];
    const bearing = (name: string): ConnectionOptions => {
      const { cert, key } = certificates!.clients.get(name)!;
      return { ca, cert: readFileSync(cert), key: readFileSync(key) };
    };
    const alice = await adminOf(bootstrap, { ssl: bearing('alice') });
    await expect(alice.createTopics({ topics: [{ topic: 'hers' }] })).rejects.toMatchObject(notAuthorized);
    const admin = await adminOf(bootstrap, { ssl: bearing('admin') });
    expect(await admin.createTopics({ topics: [{ topic: 'ours' }] })).toBe(true);
    await expect(adminOf(bootstrap, { ssl: { ca }, retry: { retries: 0 } })).rejects.toThrow();
    for (const driver of drivers) {
      const busOf = (name: string): Promise<EventBus> => {
        const { cert, key } = certificates!.clients.get(name)!;
        const tls = { ca: { file: certificates!.ca }, cert: { file: cert }, key: { file: key } };
        return startedBus({ brokers: bootstrap, driver, security: { tls } });
      };
      await expect(newTopic(await busOf('alice'))).rejects.toMatchObject({ code: 'unauthorized' });
      const topic = await newTopic(await busOf('admin'));
      expect((await alice.listTopics()).includes(topic)).toBe(false);
      const bare = startedBus({
        brokers: bootstrap,
        driver,
        security: { tls: { ca: { file: certificates!.ca } } },
      });
      await expect(bare).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});
