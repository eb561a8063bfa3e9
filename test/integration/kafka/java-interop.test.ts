import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import type { Compression } from '../../../src/bus/kafka/driver.ts';
import { keyText } from '../../../src/bus/kafka/key-text.ts';
import { partitionOf } from '../../../src/bus/partitioner.ts';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { runKafkaTool } from '../../brokers/kafka/java-tool.ts';
import { copying } from './copying.ts';
import { describeOwnKafka, drivers, kafkaBrokers, onEach } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const partitions = 4;
const keys = Array.from({ length: 20 }, (_, i) => `schlüssel-${i}`);
const filler = 'price,volume;'.repeat(40);

const server = (): string[] => ['--bootstrap-server', kafkaBrokers().join(',')];

function properties(...each: readonly string[]): string[] {
  return each.flatMap(property => ['--property', property]);
}

async function consumedByJava(topic: string, count: number, ...more: readonly string[]): Promise<string[][]> {
  const printed = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...server(),
    ...['--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '20000'],
    ...properties('print.partition=true', 'print.key=true', 'print.headers=true', 'null.literal=NONE'),
    ...more,
  ]);
  return printed
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t'));
}

async function stored(bus: EventBus, topic: string): Promise<number> {
  const info = await bus.getTopicInfo(topic);
  return info.partitions.reduce((sum, { bytes }) => sum + bytes, 0);
}

describeOwnKafka("beside Kafka's own clients in Java", () => {
  it.for<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'Java reads what we publish, and we what Java does, with compression %s',
    async compression => {
      const buses = await onEach(driver =>
        startedBus({ brokers: kafkaBrokers(), driver, publishing: { compression } }),
      );
      const [first] = buses;
      if (first === undefined) throw new Error('there is no driver');
      const topic = await newTopic(first, { partitions });
      const value = `${compression} ${filler}`;
      const payload = Buffer.from(value);
      for (const [nr, bus] of buses.entries()) {
        const headers = MessageHeaders.of({ codec: `${compression}-${drivers[nr]}` });
        const results = await bus.publishBatch([
          ...keys.map(key => ({ topic, key, payload, headers })),
          { topic, key: 'gone', payload: null, headers },
        ]);
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
        if (compression !== 'none')
          expect(await stored(bus, topic)).toBeLessThan((nr + 1) * keys.length * filler.length * 0.8);
      }

      const seen = (await consumedByJava(topic, (keys.length + 1) * buses.length)).map(
        ([partition, head, key, text]) => ({
          place: partition,
          codec: /codec:([\w-]+)/.exec(head ?? '')?.[1],
          key,
          text,
        }),
      );
      const place = (key: string): string => `Partition:${partitionOf(key, partitions)}`;
      expect(seen).toHaveLength((keys.length + 1) * buses.length);
      for (const driver of drivers) {
        const codec = `${compression}-${driver}`;
        for (const key of keys) expect(seen).toContainEqual({ place: place(key), codec, key, text: value });
        expect(seen).toContainEqual({ place: place('gone'), codec, key: 'gone', text: 'NONE' });
      }

      const theirs = await newTopic(first, { partitions });
      const lines = [...keys.map(key => `codec:${compression}\t${key}\t${value}\n`), 'a:b\tgone\tNONE\n'];
      await runKafkaTool(
        'org.apache.kafka.tools.ConsoleProducer',
        [
          ...server(),
          ...['--topic', theirs, '--compression-codec', compression],
          ...properties('parse.key=true', 'parse.headers=true', 'null.marker=NONE'),
        ],
        { input: lines.join('') },
      );
      for (const bus of buses) {
        const read = (await readAll(bus, theirs)).map(message => ({
          partition: Number(message.partition),
          codec: message.headers.get('codec'),
          key: message.key,
          text: textOf(message.payload),
        }));
        expect(read).toHaveLength(keys.length + 1);
        for (const key of keys) {
          expect(read).toContainEqual({
            partition: partitionOf(key, partitions),
            codec: compression,
            key,
            text: value,
          });
        }
        expect(read).toContainEqual({
          partition: partitionOf('gone', partitions),
          codec: undefined,
          key: 'gone',
          text: null,
        });
        if (compression !== 'none')
          expect(await stored(bus, theirs)).toBeLessThan(keys.length * filler.length * 0.8);
      }
    },
  );

  const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer';
  it.for(drivers)(
    'Java reads keys and headers of bytes, and names that repeat, on driver %s',
    async driver => {
      const bus = await startedBus({ brokers: kafkaBrokers(), driver });
      const topic = await newTopic(bus);
      const headers = MessageHeaders.of([
        ['seen', 'first'],
        ['digest', Uint8Array.of(0xfe, 1, 0)],
        ['seen', 'second'],
      ]);
      const payload = Buffer.from('x');
      const key = keyText(Uint8Array.of(0xff, 0x6b, 0x80));
      for (const each of [key, null]) await publishOne(bus, { topic, key: each, payload, headers });
      const rows = await consumedByJava(
        topic,
        2,
        ...properties(`key.deserializer=${bytes}`, `headers.deserializer=${bytes}`),
      );
      expect(rows.map(([, , name]) => name)).toEqual(['\\xFFk\\x80', 'NONE']);
      for (const [, head = ''] of rows) {
        expect(head.split(',').slice(0, 3)).toEqual(['seen:first', 'digest:\\xFE\\x01\\x00', 'seen:second']);
      }
    },
  );

  it('headers whose names repeat, and no key, come from Java as they were sent', async () => {
    const [first, ...others] = await onEach(driver => startedBus({ brokers: kafkaBrokers(), driver }));
    if (first === undefined) throw new Error('there is no driver');
    const topic = await newTopic(first);
    await runKafkaTool(
      'org.apache.kafka.tools.ConsoleProducer',
      [
        ...server(),
        ...['--topic', topic],
        ...properties('parse.key=true', 'parse.headers=true', 'null.marker=NONE'),
      ],
      { input: 'seen:first,other:ü,seen:second\tNONE\tx\n' },
    );
    for (const bus of [first, ...others]) {
      const read = await readAll(bus, topic);
      expect(read.map(({ key, headers }) => ({ key, headers: [...headers] }))).toEqual([
        {
          key: null,
          headers: [
            ['seen', 'first'],
            ['other', 'ü'],
            ['seen', 'second'],
          ],
        },
      ]);
    }
  });

  const about = 'the tool for consumer groups shows our member, what it committed, and its lag, on driver %s';
  it.for(drivers)(about, async driver => {
    const bus = await startedBus({ brokers: kafkaBrokers(), driver });
    const topic = await newTopic(bus);
    const group = `group-${randomUUID()}`;
    await bus.publishBatch(keys.map(key => ({ topic, key, payload: Buffer.from('x') })));
    let handled = 0;
    const held = Promise.withResolvers<undefined>();
    const reading = await bus.subscribe(
      topic,
      async () => {
        if (handled === 7) await held.promise;
        handled++;
      },
      { group, commitIntervalMs: 50 },
    );
    await expect
      .poll(async () => (await bus.getTopicInfo(topic)).groups[0]?.committed, { timeout: 10_000 })
      .toBe(7);
    const described = await runKafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...server(),
      ...['--describe', '--group', group],
    ]);
    const row = described
      .split('\n')
      .find(line => line.includes(topic))
      ?.split(/\s+/);
    const [, , partition, committed, end, lag, member] = row ?? [];
    expect({ partition, committed, end, lag }).toEqual({
      partition: '0',
      committed: '7',
      end: '20',
      lag: '13',
    });
    expect(member).toMatch(/^cryptorun-/);
    held.resolve(undefined);
    await reading.unsubscribe();
  });

  it.for(drivers)('Java sees of our transactions only what is committed, on driver %s', async driver => {
    const bus = await startedBus({ brokers: kafkaBrokers(), driver });
    const topic = await newTopic(bus, { partitions });
    const session = bus.transactions?.open(`interop-${randomUUID()}`) ?? expect.fail('no transactions');
    onTestFinished(() => session.close());
    const [key = ''] = keys;
    const say = (text: string): Promise<unknown> =>
      publishOne(session, { topic, key, payload: Buffer.from(text) });
    await say('committed');
    await session.commit();
    await say('aborted');
    await session.abort();
    await say('committed, too');
    await session.commit();
    // One partition, so that what was aborted would come before the last.
    const seen = await consumedByJava(topic, 2, '--isolation-level', 'read_committed');
    expect(seen.map(([, , , text]) => text)).toEqual(['committed', 'committed, too']);
    const all = await consumedByJava(topic, 3, '--isolation-level', 'read_uncommitted');
    expect(all.map(([, , , text]) => text)).toEqual(['committed', 'aborted', 'committed, too']);
  });

  it.for(drivers)(
    'the tool for consumer groups shows an exactly-once pipeline, on driver %s',
    async driver => {
      const bus = await startedBus({ brokers: kafkaBrokers(), driver });
      const [from, to] = [await newTopic(bus, { partitions }), await newTopic(bus, { partitions })];
      await bus.publishBatch(keys.map(key => ({ topic: from, key, payload: Buffer.from('x') })));
      const name = await copying(bus, from, to, { guarantee: 'exactly-once' });
      await expect.poll(async () => (await readAll(bus, to)).length, { timeout: 20_000 }).toBe(keys.length);
      const rows = async (): Promise<readonly (readonly string[])[]> => {
        const described = await runKafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
          ...server(),
          ...['--describe', '--group', name],
        ]);
        return described
          .split('\n')
          .filter(line => line.includes(from))
          .map(line => line.split(/\s+/));
      };
      const found = await rows();
      const counts = Array.from(
        { length: partitions },
        (_, place) => keys.filter(key => partitionOf(key, partitions) === place).length,
      );
      // What a transaction leaves in a partition of its input is nothing: committed is what there is.
      expect(
        found.map(([, , place, committed, end, lag]) => ({ place, committed, end, lag })).toSorted(byPlace),
      ).toEqual(
        counts.map((count, place) => ({
          place: `${place}`,
          committed: `${count}`,
          end: `${count}`,
          lag: '0',
        })),
      );
      for (const row of found) expect(row[6]).toMatch(/^cryptorun-/);
    },
  );
});

function byPlace(
  a: { readonly place: string | undefined },
  b: { readonly place: string | undefined },
): number {
  return Number(a.place) - Number(b.place);
}
