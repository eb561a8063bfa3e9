import { randomUUID } from 'node:crypto';
import { noop } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import type { JoinWish, KafkaDriver, MemberEvents } from '../../../src/bus/kafka/driver.ts';
import { openDriver } from '../../../src/bus/kafka/kafka.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

/** How many connections keep this process alive. */
const connections = (): number =>
  process.getActiveResourcesInfo().filter(resource => resource === 'TCPSocketWrap').length;

describeKafka('a driver that is closed', () => {
  // One connection is enough for a worker that was asked to end not to do so.
  it.each(drivers)('has no connection, whatever is still asked of it: %s', async name => {
    const bus = await startedBus({ brokers: kafkaBrokers(), driver: name });
    const topic = await newTopic(bus);
    await bus.stop();
    const before = connections();
    const driver = await openDriver(settled({ brokers: kafkaBrokers(), driver: name }));
    await driver.connect();
    const asked = driver.listOffsets(topic, 'next').catch(String);
    expect(connections()).toBeGreaterThan(before);
    await driver.close();
    await asked;
    await expect(driver.listOffsets(topic, 'next')).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(connections, { timeout: 5_000 }).toBe(before);
  });

  // Kills: a worker that is asked to end while it joins, and waits for all others of its group.
  it.each(drivers)(
    'waits for no member that others keep from joining: %s',
    { timeout: 20_000 },
    async name => {
      const bus = await startedBus({ brokers: kafkaBrokers(), driver: name });
      const topic = await newTopic(bus);
      const open = async (): Promise<KafkaDriver> => {
        const driver = await openDriver(settled({ brokers: kafkaBrokers(), driver: name }));
        await driver.connect();
        onTestFinished(() => driver.close());
        return driver;
      };
      const group = `holding-up-${randomUUID()}`;
      const holding = Promise.withResolvers<undefined>();
      const [joined, asked] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
      const quiet = { alive: noop, rebalancing: () => Promise.resolve(), assigned: noop, failed: noop };
      const wish = (events: Partial<MemberEvents> = {}): JoinWish => ({
        group,
        topics: [topic],
        exclusive: false,
        options: { sessionTimeoutMs: 30_000, heartbeatIntervalMs: 200, rebalanceTimeoutMs: 60_000 },
        events: { ...quiet, ...events },
        isOver: () => true,
      });
      const holder = await open();
      // A coordinator that is only being made would refuse a member.
      await holder.committed(group);
      const first = await holder.join(
        wish({
          rebalancing: () => {
            asked.resolve(undefined);
            return holding.promise;
          },
          assigned: () => joined.resolve(undefined),
          failed: joined.reject,
        }),
      );
      // Until then both may be let in at once.
      await joined.promise;
      const before = connections();
      const second = await open();
      const joining = second.join(wish()).catch(String);
      await asked.promise;
      await second.close();
      await expect.poll(connections, { timeout: 5_000 }).toBe(before);
      holding.resolve(undefined);
      await Promise.all([joining, first.leave()]);
    },
  );
});
