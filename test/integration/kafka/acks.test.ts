import { expect, it } from 'vitest';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const count = 500;

describeKafka('publishing without waiting for all replicas', () => {
  // Kills: an answer that is waited for and never comes, or one that is taken for that of another request.
  it.for(drivers.flatMap(driver => ([0, 1] as const).map(acks => [driver, acks] as const)))(
    'on %s with acks %s stores in order, and tells offsets where the broker does',
    async ([driver, acks]) => {
      const bus = await startedBus({ brokers: kafkaBrokers(), driver, publishing: { acks, lingerMs: 1 } });
      const topic = await newTopic(bus);
      const messages = Array.from({ length: count }, (_, n) => ({
        topic,
        key: 'k',
        payload: Buffer.from(`${n}`),
      }));
      const results = await Promise.all(messages.map(message => bus.publish(message)));
      const offsets = results.map(({ offset }) => offset);
      expect(offsets).toEqual(messages.map((_, n) => (acks === 0 ? -1 : n)));
      await expect.poll(async () => (await bus.endOffsets(topic))[0], { timeout: 10_000 }).toBe(count);
      const read = (await readAll(bus, topic)).map(({ payload }) => textOf(payload));
      expect(read).toEqual(messages.map((_, n) => `${n}`));
    },
  );
});
