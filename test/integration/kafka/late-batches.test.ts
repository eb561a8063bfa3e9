import { expect, it, onTestFinished, vi } from 'vitest';
import type { DriverProducer, PartitionBatch, StoreOutcome } from '../../../src/bus/kafka/driver.ts';
import { openDriver } from '../../../src/bus/kafka/kafka.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

/** The broker that is asked may not have heard of the topic yet. */
async function stored(producer: DriverProducer, batches: readonly PartitionBatch[]): Promise<unknown> {
  let outcomes: readonly unknown[] = [];
  const areStored = async (): Promise<boolean> => {
    outcomes = codes(await producer.send(batches));
    return outcomes.every(outcome => typeof outcome === 'number');
  };
  await vi.waitUntil(areStored, { timeout: 10_000 });
  return outcomes;
}

const codes = (outcomes: readonly StoreOutcome[]): readonly unknown[] =>
  outcomes.map(outcome => (typeof outcome === 'number' ? outcome : outcome.code));

describeKafka('a batch that comes late', () => {
  // Kills: what nobody waits for any more, stored behind what was sent in its place, where the last of a key counts.
  it.each(drivers)('is refused once another was stored in its place, with driver %s', async name => {
    const driver = await openDriver(settled({ brokers: kafkaBrokers(), driver: name }));
    onTestFinished(() => driver.close());
    const topic = await newTopic(await startedBus({ brokers: kafkaBrokers() }), { partitions: 2 });
    const options = { acks: 'all', idempotent: true, compression: 'none' } as const;
    const batch = (partition: number, value: string): PartitionBatch => ({
      ...{ topic, partition },
      records: [{ key: 'k', value: Buffer.from(value), headers: [] }],
    });
    const before = await driver.openProducer(options);
    onTestFinished(() => before.close());
    expect(await stored(before, [batch(0, 'a'), batch(1, 'a')])).toEqual([0, 0]);
    const after = await driver.openProducer({ ...options, after: before.name });
    onTestFinished(() => after.close());

    expect(await stored(after, [batch(0, 'b')])).toEqual([1]);
    // In a partition of which only the one before knows it goes on as it was.
    expect(codes(await before.send([batch(0, 'late'), batch(1, 'b')]))).toEqual(['unavailable', 1]);
    expect(codes(await after.send([batch(0, 'c'), batch(1, 'c')]))).toEqual([2, 2]);
    expect(after.name).toEqual({ ...before.name, producerEpoch: 1 });
  });
});
