import { randomUUID } from 'node:crypto';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Topic, topic } from '../../src/core/topic.ts';
import { type Guarantee, type Pipeline, pipeline } from '../../src/runtime/pipeline.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import { decode, mapValues, publishTo } from '../../operators/index.ts';
import type { Benchmark, Effort, Measured, Twin, Work } from './benchmark.ts';
import { javaTransactions } from './kafka-java.ts';
import { consumed, onBrokers, onBus, pacedOn, partitions, publishAll, total } from './kafka-load.ts';
import type { Close, RawClient } from './raw-client.ts';
import { rawKafkaJs } from './raw-kafkajs.ts';
import { rawPlatformatic } from './raw-platformatic.ts';
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

/** Passes all of one topic on to another until it is closed. */
type PassOn = (bus: EventBus, brokers: readonly string[], from: string, to: Topic<string>) => Promise<Close>;

const ours =
  (guarantee: Guarantee): PassOn =>
  async (bus, _brokers, from, to) => {
    const runtime = new Runtime([passing(from, to, guarantee)], bus);
    await runtime.start();
    return () => runtime.drain(5_000);
  };

const theirs =
  (client: RawClient): PassOn =>
  (_bus, brokers, from, to) =>
    client.pass(brokers, from, to.name);

/** Work with what is passed on from one topic to another; a bus of this driver publishes the one and reads the other. */
const through =
  (
    driver: KafkaDriverName,
    passOn: PassOn,
    work: (bus: EventBus, from: string, to: string, effort: Effort) => Promise<Measured>,
  ): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, from) => {
        const to = topic(`${from}-out`, textCodec, { partitions });
        await bus.createTopic(to);
        const close = await passOn(bus, brokers, from, to);
        try {
          return await work(bus, from, to.name, effort);
        } finally {
          await close();
          await bus.deleteTopic(to.name);
        }
      }),
    );

/** All of it is published, passed on, and read by whoever sees what is committed only. */
const passes = (driver: KafkaDriverName, passOn: PassOn): Work =>
  through(driver, passOn, async (bus, from, to, effort) => {
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
const passesPaced = (driver: KafkaDriverName, passOn: PassOn, perSecond: number): Work =>
  through(driver, passOn, (bus, from, to, effort) =>
    pacedOn(bus, from, bus.source(to, { maxInFlight: 10_000 }), perSecond, effort),
  );

const benchmarksOf = (
  driver: KafkaDriverName,
  client: RawClient,
  name: string,
  java: readonly Twin[] = [],
): readonly Benchmark[] => [
  {
    name: `${name}, exactly-once`,
    goal: { perSecond: 20_000, ofTwin: 0.9 },
    subject: passes(driver, ours('exactly-once')),
    twin: { name: client.name, work: passes(driver, theirs(client)) },
    others: [{ name: 'at-least-once', work: passes(driver, ours('at-least-once')) }, ...java],
  },
  {
    name: `${name}, exactly-once, 20k/s`,
    goal: { p99: 300 },
    subject: passesPaced(driver, ours('exactly-once'), 20_000),
    twin: { name: client.name, work: passesPaced(driver, theirs(client), 20_000) },
    others: [{ name: 'at-least-once', work: passesPaced(driver, ours('at-least-once'), 20_000) }],
  },
];

export const benchmarks: readonly Benchmark[] = [
  ...benchmarksOf('kafkajs', rawKafkaJs, 'kafka', [javaTransactions]),
  ...benchmarksOf('platformatic', rawPlatformatic, 'kafka on platformatic'),
];
