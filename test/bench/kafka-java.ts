import { randomUUID } from 'node:crypto';
import { runKafkaTool } from '../brokers/kafka/java-tool.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { Effort, Measured, Twin, Work } from './benchmark.ts';
import { onBrokers, onBus, payload, publishAll, total } from './kafka-load.ts';

/** As Kafka's own scripts start these tools. */
const jvm = ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC'];
const producerTool = 'org.apache.kafka.tools.ProducerPerformance';
const consumerTool = 'org.apache.kafka.tools.ConsumerPerformance';

type JavaWork = (brokers: string, bus: EventBus, topic: string, effort: Effort) => Promise<Measured>;

const onJava =
  (work: JavaWork): Work =>
  effort =>
    onBrokers(brokers =>
      onBus('kafkajs', brokers, (bus, name) => work(brokers.join(','), bus, name, effort)),
    );

/** What a tool takes of the processor is not known here. */
const found = (messages: number, perSecond: number): Measured => ({
  messages,
  seconds: messages / perSecond,
  cpuSeconds: undefined,
});

/** @param perSecond -1: as fast as it goes */
async function produce(
  brokers: string,
  topic: string,
  messages: number,
  { perSecond = -1, more = [] }: { readonly perSecond?: number; readonly more?: readonly string[] } = {},
): Promise<Measured> {
  const printed = await runKafkaTool(
    producerTool,
    [
      ...['--topic', topic, '--num-records', String(messages), '--record-size', String(payload.length)],
      ...['--throughput', String(perSecond), ...more],
      ...['--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'enable.idempotence=true'],
    ],
    { jvm },
  );
  return producedIn(printed, messages);
}

/** Reads the last line, which sums up. @throws where it is not as this version of the tool writes it */
function producedIn(printed: string, messages: number): Measured {
  const [last = ''] = printed.trimEnd().split('\n').slice(-1);
  const [, rate] = /([\d.]+) records\/sec/.exec(last) ?? [];
  const [, p50, p99] = /([\d.]+) ms 50th.* ([\d.]+) ms 99th/.exec(last) ?? [];
  if (rate === undefined || p50 === undefined || p99 === undefined)
    throw new Error(`${producerTool} printed: ${printed}`);
  return { ...found(messages, Number(rate)), latency: { p50: Number(p50), p99: Number(p99) } };
}

/** The speed without what the group takes to form. */
async function consume(brokers: string, topic: string, messages: number): Promise<Measured> {
  const printed = await runKafkaTool(
    consumerTool,
    [
      ...['--bootstrap-server', brokers, '--topic', topic, '--messages', String(messages)],
      ...['--timeout', '60000', '--hide-header'],
    ],
    { jvm },
  );
  const fields = printed.trimEnd().split('\n').at(-1)?.split(', ') ?? [];
  const [read, perSecond] = [Number(fields[4]), Number(fields[9])];
  if (!(read >= messages) || !(perSecond > 0)) throw new Error(`${consumerTool} printed: ${printed}`);
  return found(read, perSecond);
}

export const javaPublishes: Twin = {
  name: "Java's producer-perf-test",
  work: onJava(async (brokers, _bus, topic, effort) => {
    const { messages, seconds, cpuSeconds } = await produce(brokers, topic, total(effort));
    return { messages, seconds, cpuSeconds };
  }),
};

export const javaConsumes: Twin = {
  name: "Java's consumer-perf-test",
  work: onJava(async (brokers, bus, topic, effort) => {
    await publishAll(bus, topic, total(effort));
    return consume(brokers, topic, total(effort));
  }),
};

/** Both at once; the slower one tells how fast it went. */
export const javaPublishesAndConsumes: Twin = {
  name: 'both of Java at once',
  work: onJava(async (brokers, _bus, topic, effort) => {
    const [produced, read] = await Promise.all([
      produce(brokers, topic, total(effort)),
      consume(brokers, topic, total(effort)),
    ]);
    return found(total(effort), total(effort) / Math.max(produced.seconds, read.seconds));
  }),
};

/** Until a broker has answered, not until it is consumed; and from when it was sent, not from when it was due. */
export const javaPaced = (perSecond: number): Twin => ({
  name: "Java's producer, until stored",
  work: onJava((brokers, _bus, topic, { smoke }) =>
    produce(brokers, topic, perSecond * (smoke ? 0.4 : 10), { perSecond }),
  ),
});

/** A transaction each 100 ms: nothing is consumed by it. */
export const javaTransactions: Twin = {
  name: "Java's producer, transactions",
  work: onJava(async (brokers, _bus, topic, effort) => {
    const more = ['--transactional-id', `bench-${randomUUID()}`, '--transaction-duration-ms', '100'];
    const { messages, seconds, cpuSeconds } = await produce(brokers, topic, total(effort) / 2, { more });
    return { messages, seconds, cpuSeconds };
  }),
};
