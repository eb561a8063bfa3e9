import { randomUUID } from 'node:crypto';
import { Kafka, type Producer, logLevel } from 'kafkajs';
import type { Observable } from 'rxjs';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { topic } from '../../src/core/topic.ts';
import { decode, mapValues } from '../../operators/index.ts';
import { startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { missingForKafka } from '../brokers/kafka/requirements.ts';
import type { Benchmark, Effort, Measured, Skipped, Work } from './benchmark.ts';
import { type Pace, type Pipe, paced } from './bus-load.ts';
import { stopwatch } from './stopwatch.ts';

const partitions = 12;
const inFlight = 4;
const batchSize = 1000;
const payload = Buffer.alloc(200, 0x61);
/** A broker that has just been started takes some seconds to be compiled. */
const pace: Pace = { batchSize: 20, arriveWithinMs: 10_000, warmUpSeconds: 5 };
const total = ({ smoke }: Effort): number => (smoke ? 10_000 : 400_000);

/** One broker for one run, or those that `KAFKA_BROKERS` names. */
async function onBrokers(work: (brokers: string[]) => Promise<Measured>): Promise<Measured | Skipped> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') return work(given.split(','));
  const missing = await missingForKafka();
  if (missing !== undefined) return { skipped: missing };
  const kafka = await startKafka();
  try {
    return await work([...kafka.bootstrap]);
  } finally {
    await kafka.stop();
  }
}

async function onBus(
  brokers: string[],
  work: (bus: EventBus, name: string) => Promise<Measured>,
): Promise<Measured> {
  const bus = createEventBus({ kind: 'kafka', brokers });
  await bus.start();
  const { name, settings } = topic(`bench-${randomUUID()}`, textCodec, { partitions });
  try {
    await bus.createTopic({ name, settings });
    return await work(bus, name);
  } finally {
    await bus.stop();
  }
}

/** Sends so many messages in batches, several batches at once. */
async function sendAll(messages: number, send: (first: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < messages) {
      const first = next;
      next += batchSize;
      await send(first);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

function batchAt(name: string, first: number): OutgoingMessage[] {
  return Array.from({ length: batchSize }, (_, i) => ({
    topic: name,
    key: `k${(first + i) % 500}`,
    payload,
  }));
}

async function publishAll(bus: EventBus, name: string, messages: number): Promise<void> {
  await sendAll(messages, async first => {
    for (const result of await bus.publishBatch(batchAt(name, first))) if (!result.ok) throw result.error;
  });
}

/** A member of a group, and one chain of operators. */
function handled(bus: EventBus, name: string): Observable<Delivery<number>> {
  return bus.source(name, { group: name, maxInFlight: 10_000 }).pipe(
    decode(topic(name, textCodec)),
    mapValues(text => text.length),
  );
}

/** Counts so many deliveries, acked at once. */
function consumed(source$: Observable<Delivery<unknown>>, messages: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve, reject) => {
    const reading = source$.subscribe({
      next: delivery => {
        delivery[settlement].ack();
        if (++seen < messages) return;
        resolve();
        setImmediate(() => reading.unsubscribe());
      },
      error: reject,
    });
  });
}

const publishes: Work = effort =>
  onBrokers(brokers =>
    onBus(brokers, async (bus, name) => {
      await publishAll(bus, name, total(effort) / 10);
      const lap = stopwatch();
      await publishAll(bus, name, total(effort));
      return lap(total(effort));
    }),
  );

const consumes: Work = effort =>
  onBrokers(brokers =>
    onBus(brokers, async (bus, name) => {
      await publishAll(bus, name, total(effort));
      const lap = stopwatch();
      await consumed(bus.source(name, { group: name, maxInFlight: 10_000 }), total(effort));
      return lap(total(effort));
    }),
  );

const publishesAndHandles: Work = effort =>
  onBrokers(brokers =>
    onBus(brokers, async (bus, name) => {
      const lap = stopwatch();
      await Promise.all([consumed(handled(bus, name), total(effort)), publishAll(bus, name, total(effort))]);
      return lap(total(effort));
    }),
  );

const pacedThrough =
  (perSecond: number): Work =>
  effort =>
    onBrokers(brokers => onBus(brokers, (bus, name) => pacedOn(bus, name, perSecond, effort)));

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
    onBrokers(brokers => onBus(brokers, (bus, name) => work(raw(brokers), bus, name, effort)));

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'kafka, publish',
    subject: publishes,
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
    subject: consumes,
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
    subject: publishesAndHandles,
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
  { name: 'kafka, 5k/s', subject: pacedThrough(5_000) },
  { name: 'kafka, 50k/s', subject: pacedThrough(50_000) },
  {
    name: 'kafka, 20k/s',
    goal: { p99: 10 },
    subject: pacedThrough(20_000),
    twin: {
      name: 'kafkajs',
      work: rawly((kafka, _, name, effort) => rawPaced(kafka, name, 20_000, effort)),
    },
  },
];
