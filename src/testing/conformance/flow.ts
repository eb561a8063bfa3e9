import assert from 'node:assert/strict';
import { BehaviorSubject } from 'rxjs';
import type { ConformanceCase } from './contract.ts';
import { type Lab, type Reading, busCase, names, refused } from './lab.ts';

const kilobyte = 'x'.repeat(1000);
const bounded = { maxPartitionBytes: 8000, publishTimeoutMs: 2000, maxWaitingPublishes: 3 };

/** Publishes until one has to wait, before a reader that commits nothing; how many went in. */
async function fill(lab: Lab, topic: string): Promise<number> {
  for (let stored = 0; stored < 100; stored++) {
    const sending = { done: false };
    const sent = lab.publish(topic, 'k', kilobyte).then(
      () => (sending.done = true),
      () => undefined,
    );
    await lab.passTime(10);
    if (sending.done) continue;
    await lab.passTime(bounded.publishTimeoutMs);
    await sent;
    return stored;
  }
  return assert.fail('the partition takes everything');
}

async function settlesOneByOne(lab: Lab, reading: Reading, count: number, bound: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    await lab.eventually(
      () => reading.values.length === Math.min(count, done + bound),
      () => `${bound} in flight after ${done}, there are ${reading.values.length - done}`,
    );
    await lab.passTime(10);
    assert.ok(reading.values.length <= done + bound);
    reading.duty(done).ack();
  }
}

/** Credits of readers, and what a full partition does to publishers. */
export const flow: readonly ConformanceCase[] = [
  busCase('no more than maxInFlight deliveries are out, over all partitions', async lab => {
    const topic = await lab.topic({ partitions: 3 });
    for (let i = 0; i < 12; i++) await lab.publish(topic, 'k', `${i}`, { partition: i % 3 });
    await settlesOneByOne(lab, lab.read(topic, { maxInFlight: 4 }), 12, 4);
  }),
  busCase('no more than maxInFlightBytes are out, but for the message that passes them', async lab => {
    const topic = await lab.topic();
    await lab.publishAll(
      topic,
      null,
      names('', 6).map(name => name.padEnd(1000)),
    );
    const reading = lab.read(topic, { maxInFlightBytes: 1500 });
    await settlesOneByOne(lab, reading, 6, 2);
  }),
  busCase('acks run no further ahead of the prefix than maxUncommitted', async lab => {
    const topic = await lab.topic();
    await lab.publishAll(topic, null, names('m', 20));
    const reading = lab.read(topic, { maxInFlight: 4, maxUncommitted: 6 }, (duty, { offset }) => {
      if (offset !== 0) duty.ack();
    });
    await lab.sees(reading, names('m', 6));
    reading.duty(0).ack();
    await lab.sees(reading, names('m', 20));
  }),
  busCase('while it is paused a source takes nothing new', async lab => {
    const topic = await lab.topic();
    const pause$ = new BehaviorSubject(false);
    const reading = lab.read(topic, { pause$ });
    await lab.publish(topic, 'a', 'a');
    await lab.sees(reading, ['a']);
    pause$.next(true);
    await lab.publish(topic, 'b', 'b');
    reading.duty(0).nack(0);
    await lab.sees(reading, ['a', 'a']);
    reading.duty(1).ack();
    pause$.next(false);
    await lab.sees(reading, ['a', 'a', 'b']);
  }),
  busCase(
    'a full partition makes publish wait, then fail; and others do not notice',
    async lab => {
      const topic = await lab.topic({ partitions: 2 });
      lab.read(topic, { group: lab.name('group') });
      const stored = await fill(lab, topic);
      assert.ok(stored >= 3 && stored <= 8, `${stored} messages of 1 KB went into 8 KB`);
      const { partition } = await lab.publish(topic, 'other', 'v', {
        partition: 1 - (await fullPartition(lab, topic)),
      });
      const late = refused(
        lab.publish(topic, 'k', kilobyte, { partition: 1 - partition }),
        'publish-timeout',
      );
      await lab.passTime(bounded.publishTimeoutMs);
      assert.equal((await late).retryable, true);
    },
    ['bounded-partitions'],
    bounded,
  ),
  busCase(
    'too many publishers waiting for room are refused at once',
    async lab => {
      const topic = await lab.topic();
      lab.read(topic, { group: lab.name('group') });
      await fill(lab, topic);
      const waiting = names('', 3).map(() => refused(lab.publish(topic, 'k', kilobyte), 'publish-timeout'));
      await lab.passTime(10);
      await refused(lab.publish(topic, 'k', kilobyte), 'buffer-full');
      await lab.passTime(bounded.publishTimeoutMs);
      await Promise.all(waiting);
    },
    ['bounded-partitions'],
    bounded,
  ),
  busCase(
    'a publisher that waits goes on when a reader commits, and nothing is lost or changes places',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      const reading = lab.read(topic, { group });
      const stored = await fill(lab, topic);
      const values = ['first', 'second'].map(value => value.padEnd(1000));
      const waiting = values.map(value => lab.publish(topic, 'k', value));
      await lab.passTime(10);
      assert.equal(reading.values.length, stored);
      for (let index = 0; index < stored; index++) reading.duty(index).ack();
      await Promise.all(waiting);
      await lab.eventually(
        () => reading.values.length === stored + 2,
        () => 'those that waited',
      );
      assert.deepEqual(reading.values.slice(stored), values);
    },
    ['bounded-partitions'],
    bounded,
  ),
  busCase(
    'retries and dead letters have room of their own in a full partition',
    async lab => {
      const topic = await lab.topic();
      const reading = lab.read(topic, { group: lab.name('group') });
      const stored = await fill(lab, topic);
      await lab.publish(topic, 'k', 'kept room', { reserved: true });
      await lab.eventually(
        () => reading.values.length === stored + 1,
        () => 'the reserved one',
      );
    },
    ['bounded-partitions'],
    bounded,
  ),
];

async function fullPartition(lab: Lab, topic: string): Promise<number> {
  const { partitions } = await lab.bus.getTopicInfo(topic);
  return partitions.findIndex(({ nextOffset }) => nextOffset > 0);
}
