import { randomUUID } from 'node:crypto';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, take, tap, toArray } from 'rxjs';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import type { TransactionSession } from '../../../src/bus/transactions.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { KafkaBroker } from '../../brokers/kafka/broker-process.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

function opened(bus: EventBus): TransactionSession {
  const session = bus.transactions?.open(`left-open-${randomUUID()}`, { timeoutMs: 60_000 });
  if (session === undefined) throw new Error('no transactions');
  onTestFinished(() => session.close());
  return session;
}

/** A topic of one partition that only this broker holds. */
async function topicOnlyOn(broker: KafkaBroker, { brokers }: KafkaCluster, bus: EventBus): Promise<string> {
  for (;;) {
    const topic = await newTopic(bus, { replication: 1 });
    const [place] = (await bus.getTopicInfo(topic)).partitions;
    if (brokers[(place?.leader ?? 0) - 1] === broker) return topic;
  }
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
  let kafka: KafkaCluster;
  let broker: KafkaBroker;
  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3, properties: quickFailover });
    broker = kafka.brokers[2] ?? expect.fail('no third broker');
  });
  afterAll(() => kafka.stop());

  // Kills: brokers of Kafka 4 leave it open there, and the next abort of its producer takes back what was committed.
  it('counts there too, whatever becomes of the next one', { timeout: 100_000 }, async () => {
    const sessions = await onEach(async driver => {
      const bus = await startedBus({ brokers: kafka.bootstrap, driver });
      const [alone, copied] = [await topicOnlyOn(broker, kafka, bus), await newTopic(bus)];
      const session = opened(bus);
      const say = (topic: string, text: string): Promise<unknown> =>
        publishOne(session, { topic, key: 'k', payload: Buffer.from(text) });
      await say(alone, 'committed');
      return { driver, bus, session, alone, copied, say };
    });
    await broker.kill();
    for (const { session } of sessions) await session.commit();
    await broker.start();
    for (const { driver, bus, session, alone, copied, say } of sessions) {
      await say(copied, 'given up');
      await session.abort();
      const seen = (await readAll(bus, alone)).map(({ payload }) => textOf(payload));
      expect({ driver, seen }).toEqual({ driver, seen: ['committed'] });
    }
  });

  // Kills: what is written behind it is seen by nobody.
  it('is committed there by whoever reads it where its worker is gone', { timeout: 100_000 }, async () => {
    const workers = await onEach(async driver => {
      const worker = await startedBus({ brokers: kafka.bootstrap, driver });
      const reader = await startedBus({ brokers: kafka.bootstrap, driver, requestTimeoutMs: 2_000 });
      const topic = await topicOnlyOn(broker, kafka, worker);
      const session = opened(worker);
      const message = (text: string) => ({ topic, key: 'k', payload: Buffer.from(text) });
      await publishOne(session, message('committed'));
      return { driver, worker, reader, topic, session, message };
    });
    await broker.kill();
    for (const { session } of workers) {
      await session.commit();
      await session.close();
    }
    await broker.start();
    await Promise.all(
      workers.map(async ({ driver, worker, reader, topic, message }) => {
        await worker.publish(message('behind it'));
        expect({ driver, seen: await firstOf(reader, topic, 2) }).toEqual({
          driver,
          seen: ['committed', 'behind it'],
        });
        const said = async (): Promise<string> => (await reader.health()).errors.join();
        await expect
          .poll(said, { timeout: 10_000 })
          .toContain(`${topic}[0]: brokers had left a transaction open that was committed`);
      }),
    );
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
    const sessions = await onEach(async driver => {
      const bus = await startedBus({ brokers: kafka.bootstrap, driver });
      const topic = await newTopic(bus);
      const session = opened(bus);
      const message = (text: string) => ({ topic, key: 'k', payload: Buffer.from(text) });
      await publishOne(session, message('forgotten'));
      return { driver, bus, topic, session, message };
    });
    await broker?.kill();
    for await (const log of glob(join(folder, 'broker-1', 'data', '__transaction_state-*')))
      await rm(log, { recursive: true });
    await broker?.start();
    for (const { driver, bus, topic, session, message } of sessions) {
      await bus.publish(message('behind it'));
      await expect(session.commit()).rejects.toMatchObject({ code: 'fenced' });
      await session.abort();
      await publishOne(session, message('again'));
      await session.commit();
      // Brokers answer before readers of what is committed see it.
      const seen = await firstOf(bus, topic, 2);
      expect({ driver, seen }).toEqual({ driver, seen: ['behind it', 'again'] });
    }
  });
});
