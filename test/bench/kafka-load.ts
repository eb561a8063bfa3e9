import { randomUUID } from 'node:crypto';
import type { Observable } from 'rxjs';
import { createEventBus } from '../../src/backends.ts';
import type { KafkaDriverName, PublishingOptions } from '../../src/bus/kafka/kafka-options.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { topic } from '../../src/core/topic.ts';
import { startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { missingForKafka } from '../brokers/kafka/requirements.ts';
import { type Pace, type Pipe, paced } from './bus-load.ts';
import type { Effort, Measured, Skipped } from './benchmark.ts';

export const partitions: number = 12;
const inFlight = 4;
const batchSize = 1000;
/**
 * Some are due each millisecond. A broker that has just been started takes some seconds to be compiled. What has not
 * come within a minute is lost: to be slow is for the figures to tell.
 */
export const paceOf = (perSecond: number): Pace => ({
  batchSize: perSecond / 1000,
  arriveWithinMs: 60_000,
  warmUpSeconds: 5,
});
/** When a message is due, as its timestamp tells it: brokers keep whole milliseconds, and remove what is old. */
const wallTime = (due: number): number => Math.floor(performance.timeOrigin + due);
/** The same, back in ms of `performance.now()`: up to 1 ms too early, so that no latency is taken for less. */
const dueMs = (timestamp: number): number => timestamp - performance.timeOrigin;
export const payload: Buffer = Buffer.alloc(200, 0x61);
export const total = ({ smoke }: Effort): number => (smoke ? 10_000 : 400_000);

/** The brokers that `KAFKA_BROKERS` names, as they are for a whole run; else one for this alone. */
export async function onBrokers(work: (brokers: string[]) => Promise<Measured>): Promise<Measured | Skipped> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') return work(given.split(','));
  const missing = await missingForKafka();
  if (missing !== undefined) return { skipped: missing };
  const kafka = await startKafka({ compiledWell: true });
  try {
    return await work([...kafka.bootstrap]);
  } finally {
    await kafka.stop();
  }
}

/** One broker for all that a run measures; undefined where there is one already, or cannot be any. */
export async function sharedBroker(): Promise<{ readonly stop: () => Promise<unknown> } | undefined> {
  const given = process.env['KAFKA_BROKERS'];
  if ((given !== undefined && given !== '') || (await missingForKafka()) !== undefined) return undefined;
  const kafka = await startKafka({ compiledWell: true });
  // Whatever is run from here measures on it.
  process.env['KAFKA_BROKERS'] = kafka.bootstrap.join(',');
  return kafka;
}

export async function onBus(
  driver: KafkaDriverName,
  brokers: string[],
  work: (bus: EventBus, name: string) => Promise<Measured>,
  publishing: PublishingOptions = {},
): Promise<Measured> {
  const bus = createEventBus({ kind: 'kafka', brokers, driver, publishing });
  await bus.start();
  const { name, settings } = topic(`bench-${randomUUID()}`, textCodec, { partitions });
  try {
    await bus.createTopic({ name, settings });
    const measured = await work(bus, name);
    await bus.deleteTopic(name);
    return measured;
  } finally {
    await bus.stop();
  }
}

/** Sends so many messages in batches, several batches at once. */
export async function sendAll(messages: number, send: (first: number) => Promise<unknown>): Promise<void> {
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

export function batchAt(name: string, first: number): OutgoingMessage[] {
  return Array.from({ length: batchSize }, (_, i) => ({
    topic: name,
    key: `k${(first + i) % 500}`,
    payload,
  }));
}

export async function publishAll(bus: EventBus, name: string, messages: number): Promise<void> {
  await sendAll(messages, async first => {
    for (const result of await bus.publishBatch(batchAt(name, first))) if (!result.ok) throw result.error;
  });
}

/** Counts so many deliveries, acked at once. */
export function consumed(source$: Observable<Delivery<unknown>>, messages: number): Promise<void> {
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

/**
 * Publishes at a pace to one topic; each message is timed from when it was due until it comes out of what reads, which
 * may be another topic that it was passed on to.
 */
export async function pacedOn(
  bus: EventBus,
  name: string,
  read$: Observable<Delivery<unknown>>,
  perSecond: number,
  effort: Effort,
): Promise<Measured> {
  let tell: (due: number) => void = () => undefined;
  const ready = Promise.withResolvers<undefined>();
  const reading = read$.subscribe(delivery => {
    delivery[settlement].ack();
    if (delivery.message.key === 'first') ready.resolve(undefined);
    else tell(dueMs(delivery.message.timestamp));
  });
  await bus.publish({ topic: name, key: 'first', payload });
  await ready.promise;
  const pipe: Pipe = {
    send: (batch, due) => {
      const timestamp = wallTime(due);
      for (const message of batch) bus.send({ ...message, topic: name, timestamp }, () => undefined);
    },
    onMessage: seen => (tell = seen),
  };
  try {
    return await paced(pipe, perSecond, effort, paceOf(perSecond));
  } finally {
    reading.unsubscribe();
  }
}
