import { Kafka, type Producer, logLevel } from 'kafkajs';
import type { Observable } from 'rxjs';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { textCodec } from '../../src/core/codec.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { topic } from '../../src/core/topic.ts';
import { decode, mapValues } from '../../operators/index.ts';
import type { Benchmark, Effort, Measured, Work } from './benchmark.ts';
import { type Pipe, paced } from './bus-load.ts';
import { benchmarks as exactlyOnce } from './kafka-exactly-once.ts';
import {
  batchAt,
  batchSize,
  consumed,
  onBrokers,
  onBus,
  pace,
  partitions,
  payload,
  publishAll,
  sendAll,
  total,
} from './kafka-load.ts';
import { consumeOnPlatformatic, onPlatformatic } from './raw-platformatic.ts';
import { stopwatch } from './stopwatch.ts';

/** A member of a group, and one chain of operators. */
function handled(bus: EventBus, name: string): Observable<Delivery<number>> {
  return bus.source(name, { group: name, maxInFlight: 10_000 }).pipe(
    decode(topic(name, textCodec)),
    mapValues(text => text.length),
  );
}

const publishes =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        await publishAll(bus, name, total(effort) / 10);
        const lap = stopwatch();
        await publishAll(bus, name, total(effort));
        return lap(total(effort));
      }),
    );

const consumes =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        await publishAll(bus, name, total(effort));
        const lap = stopwatch();
        await consumed(bus.source(name, { group: name, maxInFlight: 10_000 }), total(effort));
        return lap(total(effort));
      }),
    );

const publishesAndHandles =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        const lap = stopwatch();
        await Promise.all([
          consumed(handled(bus, name), total(effort)),
          publishAll(bus, name, total(effort)),
        ]);
        return lap(total(effort));
      }),
    );

const pacedThrough =
  (driver: KafkaDriverName, perSecond: number): Work =>
  effort =>
    onBrokers(brokers => onBus(driver, brokers, (bus, name) => pacedOn(bus, name, perSecond, effort)));

/** Every message is timed from when it was due until it is handled. */
async function pacedOn(bus: EventBus, name: string, perSecond: number, effort: Effort): Promise<Measured> {
  let tell: (due: number) => void = () => undefined;
  const ready = Promise.withResolvers<undefined>();
  const reading = handled(bus, name).subscribe(delivery => {
    delivery[settlement].ack();
    if (delivery.message.key === 'first') ready.resolve(undefined);
    else tell(delivery.message.timestamp);
  });
  await bus.publish({ topic: name, key: 'first', payload });
  await ready.promise;
  const pipe: Pipe = {
    send: (batch, due) => {
      for (const message of batch) bus.send({ ...message, topic: name, timestamp: due }, () => undefined);
    },
    onMessage: seen => (tell = seen),
  };
  try {
    return await paced(pipe, perSecond, effort, pace);
  } finally {
    reading.unsubscribe();
  }
}

const raw = (brokers: string[]): Kafka => new Kafka({ brokers, logLevel: logLevel.NOTHING });

async function rawProducer(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}

/** The same with kafkajs alone: idempotent, as many batches at once. */
async function rawPublish(producer: Producer, name: string, messages: number): Promise<void> {
  await sendAll(messages, first =>
    producer.send({
      topic: name,
      messages: Array.from({ length: batchSize }, (_, i) => ({
        key: `k${(first + i) % 500}`,
        value: payload,
      })),
    }),
  );
}

async function rawConsume(kafka: Kafka, name: string, messages: number): Promise<void> {
  const consumer = kafka.consumer({ groupId: `raw-${name}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [name], fromBeginning: true });
  let [seen, committedAt] = [0, performance.now()];
  const done = Promise.withResolvers<undefined>();
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: partitions,
    eachBatch: async given => {
      seen += given.batch.messages.length;
      if (performance.now() - committedAt > 1000) {
        committedAt = performance.now();
        const offsets = given
          .uncommittedOffsets()
          .topics.flatMap(({ topic: of, partitions: all }) => all.map(each => ({ topic: of, ...each })));
        await consumer.commitOffsets(offsets);
      }
      if (seen >= messages) done.resolve(undefined);
    },
  });
  await done.promise;
  await consumer.disconnect();
}

/** A send for all that is due together, and the offsets committed once a second. */
async function rawPaced(kafka: Kafka, name: string, perSecond: number, effort: Effort): Promise<Measured> {
  let tell: (due: number) => void = () => undefined;
  const producer = await rawProducer(kafka);
  const consumer = kafka.consumer({ groupId: `raw-${name}`, maxWaitTimeInMs: 250 });
  await consumer.connect();
  await consumer.subscribe({ topics: [name], fromBeginning: true });
  const ready = Promise.withResolvers<undefined>();
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: partitions,
    eachBatch: given => {
      for (const { key, headers } of given.batch.messages) {
        if (key?.toString() === 'first') ready.resolve(undefined);
        else tell(Number(headers?.['due']?.toString()));
      }
      return Promise.resolve();
    },
  });
  await producer.send({ topic: name, messages: [{ key: 'first', value: payload }] });
  await ready.promise;
  const pipe: Pipe = {
    send: (batch, due) => {
      const messages = batch.map(({ key }) => ({ key, value: payload, headers: { due: String(due) } }));
      void producer.send({ topic: name, messages });
    },
    onMessage: seen => (tell = seen),
  };
  try {
    return await paced(pipe, perSecond, effort, pace);
  } finally {
    await Promise.all([consumer.disconnect(), producer.disconnect()]);
  }
}

const rawly =
  (work: (kafka: Kafka, bus: EventBus, name: string, effort: Effort) => Promise<Measured>): Work =>
  effort =>
    onBrokers(brokers => onBus('kafkajs', brokers, (bus, name) => work(raw(brokers), bus, name, effort)));

/** The same with @platformatic/kafka alone. */
const rawlyOnPlatformatic =
  (work: (brokers: string[], bus: EventBus, name: string, effort: Effort) => Promise<Measured>): Work =>
  effort =>
    onBrokers(brokers => onBus('platformatic', brokers, (bus, name) => work(brokers, bus, name, effort)));

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'kafka, publish',
    subject: publishes('kafkajs'),
    twin: {
      name: 'kafkajs',
      work: rawly(async (kafka, _, name, effort) => {
        const producer = await rawProducer(kafka);
        await rawPublish(producer, name, total(effort) / 10);
        const lap = stopwatch();
        await rawPublish(producer, name, total(effort));
        const measured = lap(total(effort));
        await producer.disconnect();
        return measured;
      }),
    },
  },
  {
    name: 'kafka, consume',
    subject: consumes('kafkajs'),
    twin: {
      name: 'kafkajs',
      work: rawly(async (kafka, bus, name, effort) => {
        await publishAll(bus, name, total(effort));
        const lap = stopwatch();
        await rawConsume(kafka, name, total(effort));
        return lap(total(effort));
      }),
    },
  },
  {
    name: 'kafka, publish to handled',
    goal: { perSecond: 60_000, rss: 512 },
    subject: publishesAndHandles('kafkajs'),
    twin: {
      name: 'kafkajs',
      work: rawly(async (kafka, _, name, effort) => {
        const producer = await rawProducer(kafka);
        const lap = stopwatch();
        await Promise.all([
          rawConsume(kafka, name, total(effort)),
          rawPublish(producer, name, total(effort)),
        ]);
        const measured = lap(total(effort));
        await producer.disconnect();
        return measured;
      }),
    },
  },
  { name: 'kafka, 5k/s', subject: pacedThrough('kafkajs', 5_000) },
  { name: 'kafka, 50k/s', subject: pacedThrough('kafkajs', 50_000) },
  {
    name: 'kafka, 20k/s',
    goal: { p99: 10 },
    subject: pacedThrough('kafkajs', 20_000),
    twin: {
      name: 'kafkajs',
      work: rawly((kafka, _, name, effort) => rawPaced(kafka, name, 20_000, effort)),
    },
  },
  ...exactlyOnce,
  {
    name: 'kafka on platformatic, publish',
    subject: publishes('platformatic'),
    twin: {
      name: '@platformatic/kafka',
      work: rawlyOnPlatformatic((brokers, _, name, effort) =>
        onPlatformatic(brokers, name, async send => {
          await sendAll(total(effort) / 10, first => send(batchAt(name, first)));
          const lap = stopwatch();
          await sendAll(total(effort), first => send(batchAt(name, first)));
          return lap(total(effort));
        }),
      ),
    },
  },
  {
    name: 'kafka on platformatic, consume',
    subject: consumes('platformatic'),
    twin: {
      name: '@platformatic/kafka',
      work: rawlyOnPlatformatic(async (brokers, bus, name, effort) => {
        await publishAll(bus, name, total(effort));
        const lap = stopwatch();
        await consumeOnPlatformatic(brokers, name, total(effort));
        return lap(total(effort));
      }),
    },
  },
  {
    name: 'kafka on platformatic, publish to handled',
    goal: { perSecond: 60_000, rss: 512 },
    subject: publishesAndHandles('platformatic'),
  },
  {
    name: 'kafka on platformatic, 20k/s',
    goal: { p99: 10 },
    subject: pacedThrough('platformatic', 20_000),
  },
];
