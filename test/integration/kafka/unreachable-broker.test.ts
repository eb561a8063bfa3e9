import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { startedBus } from './running-bus.ts';

describeOwnKafka('a broker that runs and cannot be reached from here', () => {
  it('is not counted as connected, and health names it until it answers', { timeout: 120_000 }, async () => {
    const kafka = await startKafka({ brokers: 2, lines: 1 });
    onTestFinished(() => kafka.stop(), 60_000);
    const [line] = kafka.lines;
    const buses = await onEach(async driver => {
      const brokers = line?.bootstrap ?? [];
      const bus = await startedBus({ brokers, driver, connectionTimeoutMs: 1_000, requestTimeoutMs: 1_000 });
      expect((await bus.health()).metrics).toMatchObject({ brokers: 2, connectedBrokers: 2 });
      return bus;
    });
    line?.proxies[1]?.stall();
    for (const bus of buses) {
      const health = async (): Promise<object> => {
        const { errors, metrics } = await bus.health();
        return { said: errors.join(), ...metrics };
      };
      await expect.poll(health, { timeout: 20_000 }).toMatchObject({
        said: expect.stringMatching(/^broker \d does not answer here/) as string,
        brokers: 2,
        connectedBrokers: 1,
      });
    }
    line?.proxies[1]?.heal();
    for (const bus of buses)
      await expect.poll(async () => (await bus.health()).healthy, { timeout: 20_000 }).toBe(true);
  });
});
