import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { of } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EventBus, PartitionLifecycle, TopicPartition } from '../../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const consuming = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 100 };
const on = (driver: KafkaDriverName): Promise<EventBus> =>
  startedBus({ brokers: kafkaBrokers(), driver, consuming });

/** Where headers are hard to keep: repeated with others between, numbers, bytes, none. */
const headers = [
  MessageHeaders.empty,
  MessageHeaders.of([
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
  ]),
  MessageHeaders.of([
    ['10', 'x'],
    ['2', 'y'],
    ['größe', Buffer.from([0xff, 0])],
  ]),
];

describeKafka('two drivers on one cluster', () => {
  const pairs = drivers.flatMap(writer => drivers.map(reader => [writer, reader] as const));
  it.each(pairs)('what %s writes %s reads, headers in their order', async (writer, reader) => {
    const [writing, reading] = await Promise.all([on(writer), on(reader)]);
    const topic = await newTopic(writing);
    const sent = headers.map((each, nr) => ({
      topic,
      key: null,
      payload: Buffer.from(`${nr}`),
      headers: each,
    }));
    for (const result of await writing.publishBatch(sent)) expect(result).toMatchObject({ ok: true });
    const read = await readAll(reading, topic);
    expect(read.map(message => message.headers.toFlat())).toEqual(headers.map(each => each.toFlat()));
    expect(read.map(({ payload }) => textOf(payload))).toEqual(['0', '1', '2']);
  });

  it.each([
    ['kafkajs', 'platformatic'],
    ['platformatic', 'kafkajs'],
  ] as const)('a group of %s refuses a member of %s, and goes on', async (here, there) => {
    const [first, second] = await Promise.all([on(here), on(there)]);
    const topic = await newTopic(first, { partitions: 4 });
    const group = `group-${randomUUID()}`;
    const seen: (string | null)[] = [];
    const reading = await first.subscribe(topic, ({ payload }) => void seen.push(textOf(payload)), { group });
    await first.publish({ topic, key: 'k', payload: Buffer.from('1') });
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['1']);
    const refused = new Promise<unknown>((_, reject) => {
      const other = second.source(topic, { group }).subscribe({ error: reject });
      onTestFinished(() => other.unsubscribe());
    });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining('use one driver for all members of a group') as string,
    });
    await first.publish({ topic, key: 'k', payload: Buffer.from('2') });
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['1', '2']);
    await reading.unsubscribe();
  });

  describe.each(drivers)('driver %s', driver => {
    it('hides what was aborted, and what is not decided yet', async () => {
      const bus = await on(driver);
      const topic = await newTopic(bus);
      const kafka = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
      const producer = kafka.producer({
        transactionalId: randomUUID(),
        maxInFlightRequests: 1,
        idempotent: true,
      });
      onTestFinished(() => producer.disconnect());
      await producer.connect();
      const say = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages: [{ value: `${value}1` }, { value: `${value}2` }] });
        await transaction[end]();
      };
      await say('a', 'commit');
      await say('b', 'abort');
      await bus.publish({ topic, key: null, payload: Buffer.from('plain') });
      await say('c', 'commit');
      const open = await producer.transaction();
      await open.send({ topic, messages: [{ value: 'open' }] });
      await bus.publish({ topic, key: null, payload: Buffer.from('behind it') });
      const seen = async (): Promise<unknown> =>
        (await readAll(bus, topic)).map(({ payload }) => textOf(payload));
      expect(await seen()).toEqual(['a1', 'a2', 'plain', 'c1', 'c2']);
      await open.abort();
      await expect.poll(seen, { timeout: 10_000 }).toEqual(['a1', 'a2', 'plain', 'c1', 'c2', 'behind it']);
    });
  });

  it('members on platformatic keep what they keep while another joins and leaves', async () => {
    const [first, second] = await Promise.all([on('platformatic'), on('platformatic')]);
    const topic = await newTopic(first, { partitions: 6 });
    const group = `group-${randomUUID()}`;
    const revoked: number[][] = [];
    const assigned: number[][] = [];
    const numbers = (places: readonly TopicPartition[]): number[] => places.map(({ partition }) => partition);
    const lifecycle: PartitionLifecycle = {
      assigned: places => {
        assigned.push(numbers(places));
        return of([]);
      },
      revoked: places => void revoked.push(numbers(places)),
    };
    const reading = first
      .source(topic, { group, lifecycle })
      .subscribe(delivery => delivery[settlement].ack());
    await expect.poll(() => assigned.flat().length, { timeout: 10_000 }).toBe(6);
    const other = await second.subscribe(topic, () => undefined, { group });
    await expect.poll(() => revoked.flat().length, { timeout: 10_000 }).toBe(3);
    await other.unsubscribe();
    await expect.poll(() => assigned.flat().length, { timeout: 10_000 }).toBe(9);
    // Only those that went came back.
    expect(assigned.slice(1).flat().sort()).toEqual(revoked.flat().sort());
    reading.unsubscribe();
  });
});
