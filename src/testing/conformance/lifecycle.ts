import assert from 'node:assert/strict';
import type { ConformanceCase } from './contract.ts';
import { Lab, busCase, names, refused } from './lab.ts';

/** Starting, stopping, what outlives either, and how the bus says it is. */
export const lifecycle: readonly ConformanceCase[] = [
  {
    name: 'a bus that is not started refuses everything',
    needs: [],
    run: async context => {
      const lab = new Lab(context);
      const bus = lab.createBus();
      const message = { topic: 't', key: null, payload: null };
      await refused(bus.publish(message), 'bus-not-started');
      const [result] = await bus.publishBatch([message]);
      assert.ok(result?.ok === false && result.error.code === 'bus-not-started');
      await refused(lab.topic(), 'bus-not-started');
      await refused(bus.deleteTopic('t'), 'bus-not-started');
      await refused(bus.getTopicInfo('t'), 'bus-not-started');
      await refused(bus.listTopics(), 'bus-not-started');
      await refused(
        bus.subscribe('t', () => undefined, {}),
        'bus-not-started',
      );
      const health = await bus.health();
      assert.deepEqual([health.healthy, health.status], [false, 'stopped']);
      await bus.stop();
    },
  },
  busCase('starting and stopping twice does no harm', async ({ bus }) => {
    await bus.start();
    assert.equal((await bus.health()).status, 'running');
    await bus.stop();
    await bus.stop();
    assert.equal((await bus.health()).status, 'stopped');
  }),
  busCase('stopping completes every source', async lab => {
    const topic = await lab.topic();
    const reading = lab.consume(topic);
    await lab.bus.stop();
    await lab.eventually(
      () => reading.completed,
      () => 'completion',
    );
    assert.equal(reading.error, undefined);
  }),
  busCase('a bus that is started again has its topics, messages and committed offsets', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 2 }), lab.name('group')];
    await lab.publishAll(topic, 'k', ['a', 'b']);
    await lab.sees(lab.consume(topic, { group }), ['a', 'b']);
    await lab.bus.stop();
    await lab.bus.start();
    await lab.publish(topic, 'k', 'c');
    await lab.sees(lab.consume(topic, { group }), ['c']);
    await lab.sees(lab.consume(topic), ['a', 'b', 'c']);
  }),
  busCase(
    'another bus at the same place has the topics, messages and committed offsets',
    async lab => {
      const [topic, group] = [await lab.topic({ partitions: 2 }), lab.name('group')];
      await lab.publishAll(topic, 'k', ['a', 'b']);
      await lab.sees(lab.consume(topic, { group }), ['a', 'b']);
      await lab.bus.stop();
      await lab.startBus();
      assert.equal((await lab.bus.getTopicInfo(topic)).settings.partitions, 2);
      await lab.publish(topic, 'k', 'c');
      await lab.sees(lab.consume(topic, { group }), ['c']);
      await lab.sees(lab.consume(topic), ['a', 'b', 'c']);
    },
    ['durable'],
  ),
  busCase('health counts topics and consumers, and measures', async lab => {
    const topic = await lab.topic();
    await lab.topic();
    const reading = lab.consume(topic, { group: lab.name('group') });
    await lab.publishAll(topic, 'k', names('m', 5));
    await lab.sees(reading, names('m', 5));
    const { healthy, status, errors, metrics } = await lab.bus.health();
    assert.deepEqual([healthy, status, errors], [true, 'running', []]);
    assert.ok(metrics.connectedBrokers >= 1 && metrics.activeTopics >= 2);
    assert.equal(metrics.activeConsumers, 1);
    assert.ok(metrics.producerLatencyMs >= 0 && metrics.consumerLatencyMs >= 0);
    reading.stop();
    await lab.eventually(
      async () => (await lab.bus.health()).metrics.activeConsumers === 0,
      () => 'no consumer',
    );
  }),
];
