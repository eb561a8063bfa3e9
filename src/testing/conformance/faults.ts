import assert from 'node:assert/strict';
import { FaultInjector } from '../../bus/embedded/faults.ts';
import type { OutgoingMessage } from '../../core/message.ts';
import type { ConformanceCase } from './contract.ts';
import { Lab, refused } from './lab.ts';

/** A case whose bus does wrong on demand. */
function faultCase(name: string, run: (lab: Lab, faults: FaultInjector) => Promise<void>): ConformanceCase {
  return {
    name,
    needs: ['fault-injection'],
    run: async context => {
      const [lab, injector] = [new Lab(context), new FaultInjector()];
      try {
        await lab.startBus({ faults: injector });
        await run(lab, injector);
      } finally {
        await lab.close();
      }
    },
  };
}

/** That faults on demand do what they say, for the tests of others to rely on. */
export const faults: readonly ConformanceCase[] = [
  faultCase('a publish that is to fail fails, and the next does not', async (lab, injector) => {
    const topic = await lab.topic();
    injector.failNextPublish('buffer-full', 2);
    await refused(lab.publish(topic, 'k', 'a'), 'buffer-full');
    await refused(lab.publish(topic, 'k', 'b'), 'buffer-full');
    await lab.publish(topic, 'k', 'c');
    await lab.sees(lab.consume(topic), ['c']);
  }),
  faultCase(
    'a partition that refuses one message of a batch for now refuses those behind it',
    async (lab, injector) => {
      const topic = await lab.topic({ partitions: 2 });
      injector.failNextPublish('publish-timeout');
      const to = (partition: number, value: string): OutgoingMessage => ({
        topic,
        key: null,
        payload: Buffer.from(value),
        partition,
      });
      const results = await lab.bus.publishBatch([to(0, 'a'), to(1, 'b'), to(0, 'c'), to(1, 'd')]);
      assert.deepEqual(
        results.map(result => (result.ok ? 'stored' : result.error.code)),
        ['publish-timeout', 'stored', 'publish-timeout', 'stored'],
      );
      await lab.sees(lab.consume(topic), ['b', 'd']);
    },
  ),
  faultCase('a publish that is to be late is stored after its delay', async (lab, injector) => {
    const topic = await lab.topic({ partitions: 2 });
    const reading = lab.consume(topic);
    injector.delayNextPublish(1000);
    const late = lab.publish(topic, 'k', 'late', { partition: 0 });
    await lab.publish(topic, 'k', 'in time', { partition: 1 });
    await lab.sees(reading, ['in time']);
    await lab.passTime(1000);
    await late;
    await lab.sees(reading, ['in time', 'late']);
  }),
  faultCase('a late publish holds up what is sent to its partition after it', async (lab, injector) => {
    const topic = await lab.topic({ partitions: 2 });
    const reading = lab.consume(topic);
    const to = (partition: number, value: string): Promise<unknown> =>
      lab.publish(topic, null, value, { partition });
    injector.delayNextPublish(1000);
    const late = to(0, 'late');
    injector.delayNextPublish(100); // ends before what it follows
    const behind = ['sooner', 'at once'].map(value => to(0, value));
    injector.duplicateNextPublish();
    behind.push(to(0, 'twice'));
    await to(1, 'elsewhere');
    await lab.passTime(500);
    await lab.sees(reading, ['elsewhere']);
    await lab.passTime(500);
    await Promise.all([late, ...behind]);
    await to(0, 'afterwards');
    await lab.sees(reading, ['elsewhere', 'late', 'sooner', 'at once', 'twice', 'twice', 'afterwards']);
  }),
  faultCase('each of several late publishes is stored when it is due', async (lab, injector) => {
    const topic = await lab.topic();
    const reading = lab.consume(topic);
    injector.delayNextPublish(500);
    injector.delayNextPublish(5000);
    const [first, second] = ['first', 'second'].map(value => lab.publish(topic, null, value));
    await lab.passTime(500);
    await first;
    await lab.sees(reading, ['first']);
    await lab.passTime(5000);
    await second;
    await lab.sees(reading, ['first', 'second']);
  }),
  faultCase('a publish that is to be doubled is stored twice under one id', async (lab, injector) => {
    const topic = await lab.topic();
    injector.duplicateNextPublish();
    const { id } = await lab.publish(topic, 'k', 'a');
    const reading = lab.consume(topic);
    await lab.sees(reading, ['a', 'a']);
    assert.deepEqual(
      reading.messages.map(message => message.id),
      [id, id],
    );
  }),
  faultCase(
    'while it is disconnected nothing comes and publishers wait, and then all is there',
    async (lab, injector) => {
      const topic = await lab.topic();
      const reading = lab.consume(topic);
      await lab.publish(topic, 'k', 'before');
      await lab.sees(reading, ['before']);
      injector.disconnect();
      const { healthy, metrics } = await lab.bus.health();
      assert.deepEqual([healthy, metrics.connectedBrokers], [false, 0]);
      let stored = false;
      const waiting = lab.publish(topic, 'k', 'meanwhile').then(() => (stored = true));
      await lab.passTime(1000);
      assert.deepEqual([reading.values, stored], [['before'], false]);
      injector.reconnect();
      await waiting;
      await lab.sees(reading, ['before', 'meanwhile']);
      assert.equal((await lab.bus.health()).healthy, true);
    },
  ),
];
