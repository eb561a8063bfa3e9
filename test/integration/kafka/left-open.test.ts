import { randomUUID } from 'node:crypto';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, take, tap, toArray } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import type { TransactionSession } from '../../../src/bus/transactions.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { KafkaBroker } from '../../brokers/kafka/broker-process.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { describeOwnKafka, drivers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

function opened(bus: EventBus): TransactionSession {
  const session = bus.transactions?.open(`left-open-${randomUUID()}`, { timeoutMs: 60_000 });
  if (session === undefined) throw new Error('no transactions');
  onTestFinished(() => session.close());
  return session;
}

async function leaderOf({ brokers }: KafkaCluster, bus: EventBus, topic: string): Promise<KafkaBroker> {
  const [place] = (await bus.getTopicInfo(topic)).partitions;
  const broker = brokers[(place?.leader ?? 0) - 1];
  if (broker === undefined) throw new Error(`${topic} has no leader`);
  return broker;
}

/** So many messages of a topic, waiting for those that are not there yet. */
async function firstOf(bus: EventBus, topic: string, count: number): Promise<readonly unknown[]> {
  const acked$ = bus.source(topic).pipe(
    tap(delivery => delivery[settlement].ack()),
    take(count),
    toArray(),
  );
  return (await firstValueFrom(acked$)).map(({ message }) => textOf(message.payload));
}

describeOwnKafka('a transaction that is committed while a partition of it has no leader', () => {
  // Kills: brokers of Kafka 4 leave it open there, and the next abort of its producer takes back what was committed.
  it('counts there too, whatever becomes of the next one', { timeout: 150_000 }, async () => {
    const kafka = await startKafka({ brokers: 3, properties: quickFailover });
    onTestFinished(() => kafka.stop(), 60_000);
    for (const driver of drivers) {
      const bus = await startedBus({ brokers: kafka.bootstrap, driver });
      const [alone, copied] = [await newTopic(bus, { replication: 1 }), await newTopic(bus)];
      const broker = await leaderOf(kafka, bus, alone);
      const session = opened(bus);
      const say = (topic: string, text: string): Promise<unknown> =>
        publishOne(session, { topic, key: 'k', payload: Buffer.from(text) });

      await say(alone, 'committed');
      await broker.kill();
      await session.commit();
      await broker.start();
      await say(copied, 'given up');
      await session.abort();
      const seen = await readAll(bus, alone);
      expect({ driver, seen: seen.map(({ payload }) => textOf(payload)) }).toEqual({
        driver,
        seen: ['committed'],
      });
    }
  });
});

describeOwnKafka('a transaction whose worker is gone when a partition of it has its leader again', () => {
  // Kills: what is written behind it is seen by nobody.
  it('is committed there by whoever reads it', { timeout: 150_000 }, async () => {
    const kafka = await startKafka({ brokers: 3, properties: quickFailover });
    onTestFinished(() => kafka.stop(), 60_000);
    for (const driver of drivers) {
      const worker = await startedBus({ brokers: kafka.bootstrap, driver });
      const reader = await startedBus({ brokers: kafka.bootstrap, driver, requestTimeoutMs: 2_000 });
      const topic = await newTopic(worker, { replication: 1 });
      const message = (text: string) => ({ topic, key: 'k', payload: Buffer.from(text) });
      const broker = await leaderOf(kafka, worker, topic);
      const session = opened(worker);
      await publishOne(session, message('committed'));
      await broker.kill();
      await session.commit();
      await session.close();
      await broker.start();
      await worker.publish(message('behind it'));
      expect({ driver, seen: await firstOf(reader, topic, 2) }).toEqual({
        driver,
        seen: ['committed', 'behind it'],
      });
      const said = async (): Promise<string> => (await reader.health()).errors.join();
      await expect
        .poll(said, { timeout: 10_000 })
        .toContain(`${topic}[0]: brokers had left a transaction open that was committed`);
    }
  });
});

describeOwnKafka('a transaction that its coordinator has forgotten when it comes back', () => {
  // Kills: a transaction that nobody ends any more, behind which nothing is read.
  it('is aborted by whoever began it', { timeout: 150_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kafka-forgetful-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const kafka = await startKafka({ folder, properties: quickFailover });
    onTestFinished(() => kafka.stop(), 60_000);
    const [broker] = kafka.brokers;
    for (const driver of drivers) {
      const bus = await startedBus({ brokers: kafka.bootstrap, driver });
      const topic = await newTopic(bus);
      const message = (text: string) => ({ topic, key: 'k', payload: Buffer.from(text) });
      const session = opened(bus);
      await publishOne(session, message('forgotten'));

      await broker?.kill();
      for await (const log of glob(join(folder, 'broker-1', 'data', '__transaction_state-*')))
        await rm(log, { recursive: true });
      await broker?.start();
      await bus.publish(message('behind it'));
      await expect(session.commit()).rejects.toMatchObject({ code: 'fenced' });
      await session.abort();
      await publishOne(session, message('again'));
      await session.commit();
      const seen = (await readAll(bus, topic)).map(({ payload }) => textOf(payload));
      expect({ driver, seen }).toEqual({ driver, seen: ['behind it', 'again'] });
    }
  });
});
