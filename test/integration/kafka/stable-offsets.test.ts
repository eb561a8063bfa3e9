import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import type { KafkaDriver } from '../../../src/bus/kafka/driver.ts';
import { openDriver } from '../../../src/bus/kafka/kafka.ts';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { clusterOf, loadClient, openKafka } from '../../../src/bus/kafka/kafkajs/client.ts';
import { Sockets } from '../../../src/bus/kafka/kafkajs/sockets.ts';
import { KafkaJsTransactionTransport } from '../../../src/bus/kafka/kafkajs/transaction-transport.ts';
import { nobody } from '../../../src/bus/kafka/producer-id.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

const settingsOf = (driver: KafkaDriverName) => settled({ brokers: kafkaBrokers(), driver });

async function opened(name: KafkaDriverName): Promise<KafkaDriver> {
  const driver = await openDriver(settingsOf(name));
  onTestFinished(() => driver.close());
  return driver;
}

/** Offsets of a group in a transaction that is as good as committed, until `end` is called. */
async function pendingOffsets(
  group: string,
  topic: string,
  offset: number,
): Promise<{ end(isCommit: boolean): Promise<void> }> {
  const settings = settingsOf('kafkajs');
  const cluster = clusterOf(openKafka(await loadClient(), settings, new Sockets()));
  onTestFinished(() => cluster.disconnect());
  const id = `pending-${randomUUID()}`;
  const transport = new KafkaJsTransactionTransport(cluster, id, settings.requestTimeoutMs);
  const self = { id, ...(await transport.identify(id, 20_000, nobody)) };
  await transport.addGroup(self, group);
  const member = { group, memberId: '', generation: -1 };
  await transport.commitOffsets(self, { member, offsets: [{ topic, partition: 1, offset }] });
  return { end: isCommit => transport.end(self, isCommit) };
}

describeKafka('offsets that a transaction is about to commit', () => {
  // Brokers leave partitions without an earlier commit out where they are asked for all: their first would be done twice.
  it.each(drivers)(
    'are waited for by driver %s, though they are the first of their partition',
    async name => {
      const driver = await opened(name);
      const bus = await startedBus({ brokers: kafkaBrokers() });
      const topic = await newTopic(bus, { partitions: 2 });
      const group = `group-${randomUUID()}`;
      const pending = await pendingOffsets(group, topic, 7);

      const told: unknown[] = [];
      const places = [0, 1].map(partition => ({ topic, partition }));
      const asked = driver.stableOffsets(group, places).then(offsets => told.push(...offsets));
      // What is not pending is answered at once, on the same connection behind it.
      expect(await driver.stableOffsets(group, places.slice(0, 1))).toEqual([]);
      expect(told).toEqual([]);
      await pending.end(true);
      await asked;
      expect(told).toMatchObject([{ topic, partition: 1, offset: 7 }]);
    },
  );
});
