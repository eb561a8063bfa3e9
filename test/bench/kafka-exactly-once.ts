import { randomUUID } from 'node:crypto';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import { textCodec } from '../../src/core/codec.ts';
import { settlement } from '../../src/core/delivery.ts';
import { type Topic, topic } from '../../src/core/topic.ts';
import { type Guarantee, type Pipeline, pipeline } from '../../src/runtime/pipeline.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import { decode, mapValues, publishTo } from '../../operators/index.ts';
import type { Benchmark, Effort, Measured, Work } from './benchmark.ts';
import { type Pipe, paced } from './bus-load.ts';
import { javaTransactions } from './kafka-java.ts';
import {
  consumed,
  dueMs,
  onBrokers,
  onBus,
  paceOf,
  partitions,
  payload,
  publishAll,
  total,
  wallTime,
} from './kafka-load.ts';
import { stopwatch } from './stopwatch.ts';

/** From a topic to another, each message changed a little. */
function passing(from: string, to: Topic<string>, guarantee: Guarantee): Pipeline {
  const input = topic(from, textCodec);
  return pipeline(
    `bench-${randomUUID()}`,
    ({ source, publisher, onFailure }) =>
      source(input).pipe(
        decode(input),
        mapValues(text => text.toUpperCase()),
        publishTo(to, publisher),
        onFailure(),
      ),
    { guarantee, maxInFlight: 10_000 },
  );
}

/** Work with what a pipeline of this guarantee makes of a topic. */
const through =
  (
    driver: KafkaDriverName,
    guarantee: Guarantee,
    work: (bus: EventBus, from: string, to: string, effort: Effort) => Promise<Measured>,
  ): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, from) => {
        const to = topic(`${from}-out`, textCodec, { partitions });
        await bus.createTopic(to);
        const runtime = new Runtime([passing(from, to, guarantee)], bus);
        await runtime.start();
        try {
          return await work(bus, from, to.name, effort);
        } finally {
          await runtime.drain(5_000);
          await bus.deleteTopic(to.name);
        }
      }),
    );

/** All of it is published, passed on, and read by whoever sees what is committed only. */
const passes = (driver: KafkaDriverName, guarantee: Guarantee): Work =>
  through(driver, guarantee, async (bus, from, to, effort) => {
    const messages = total(effort) / 2;
    await publishAll(bus, from, 1_000);
    await consumed(bus.source(to, { group: `${to}-first` }), 1_000);
    const lap = stopwatch();
    await Promise.all([
      consumed(bus.source(to, { maxInFlight: 10_000 }), messages + 1_000),
      publishAll(bus, from, messages),
    ]);
    return lap(messages);
  });

/** Every message is timed from when it was due until it can be read in the output. */
const passesPaced = (driver: KafkaDriverName, guarantee: Guarantee, perSecond: number): Work =>
  through(driver, guarantee, async (bus, from, to, effort) => {
    let tell: (due: number) => void = () => undefined;
    const ready = Promise.withResolvers<undefined>();
    const reading = bus.source(to, { maxInFlight: 10_000 }).subscribe(delivery => {
      delivery[settlement].ack();
      if (delivery.message.key === 'first') ready.resolve(undefined);
      else tell(dueMs(delivery.message.timestamp));
    });
    await bus.publish({ topic: from, key: 'first', payload });
    await ready.promise;
    const pipe: Pipe = {
      send: (batch, due) => {
        const timestamp = wallTime(due);
        for (const message of batch) bus.send({ ...message, topic: from, timestamp }, () => undefined);
      },
      onMessage: seen => (tell = seen),
    };
    try {
      return await paced(pipe, perSecond, effort, paceOf(perSecond));
    } finally {
      reading.unsubscribe();
    }
  });

const twinOf = (work: Work): NonNullable<Benchmark['twin']> => ({ name: 'at-least-once', work });

const benchmarksOf = (driver: KafkaDriverName, name: string): readonly Benchmark[] => [
  {
    name: `${name}, exactly-once`,
    goal: { perSecond: 20_000 },
    subject: passes(driver, 'exactly-once'),
    twin: twinOf(passes(driver, 'at-least-once')),
    ...(driver === 'kafkajs' && { others: [javaTransactions] }),
  },
  {
    name: `${name}, exactly-once, 20k/s`,
    goal: { p99: 300 },
    subject: passesPaced(driver, 'exactly-once', 20_000),
    twin: twinOf(passesPaced(driver, 'at-least-once', 20_000)),
  },
];

export const benchmarks: readonly Benchmark[] = [
  ...benchmarksOf('kafkajs', 'kafka'),
  ...benchmarksOf('platformatic', 'kafka on platformatic'),
];
