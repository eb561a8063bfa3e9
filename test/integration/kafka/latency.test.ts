import { expect, it } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus } from './running-bus.ts';

const patiently = { timeout: 20_000 };

interface Latencies {
  readonly producer: number;
  readonly consumer: number;
}

async function latenciesOf(bus: EventBus): Promise<Latencies> {
  const { producerLatencyMs, consumerLatencyMs } = (await bus.health()).metrics;
  return { producer: producerLatencyMs, consumer: consumerLatencyMs };
}

describeKafka('the latencies that the kafka bus tells', () => {
  // Kills: a latency that nobody measures; one that is of another unit, or of what only the other end has done.
  it.each(drivers)('are those of its own traffic, on %s', async driver => {
    const [publishing, reading] = [
      await startedBus({ brokers: kafkaBrokers(), driver }),
      await startedBus({ brokers: kafkaBrokers(), driver }),
    ];
    const topic = await newTopic(publishing);
    const begun = performance.now();
    const publishMany = (): Promise<unknown> =>
      publishing.publishBatch(
        Array.from({ length: 100 }, (_, i) => ({ topic, key: `k${i}`, payload: Buffer.from(`${i}`) })),
      );
    await expect
      .poll(async () => {
        await publishMany();
        return (await latenciesOf(publishing)).producer;
      }, patiently)
      .toBeGreaterThan(0);
    // The first that is read is the oldest: the longer this goes on the older it is.
    await expect
      .poll(async () => {
        await readAll(reading, topic);
        return (await latenciesOf(reading)).consumer;
      }, patiently)
      .toBeGreaterThan(0);
    const [ofPublishing, ofReading] = [await latenciesOf(publishing), await latenciesOf(reading)];
    expect([ofPublishing.consumer, ofReading.producer]).toEqual([0, 0]);
    // Nothing can have taken longer than all of it.
    const wholeMs = performance.now() - begun;
    expect(ofPublishing.producer).toBeLessThan(wholeMs);
    expect(ofReading.consumer).toBeLessThan(wholeMs);
  });
});
