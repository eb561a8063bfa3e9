import { expect, it } from 'vitest';
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
});
