import assert from 'node:assert/strict';
import type { ConformanceCase } from './contract.ts';
import type { StartOffset } from '../../bus/event-bus.ts';
import { offset } from '../../core/message.ts';
import { type Lab, busCase, names } from './lab.ts';

/** Groups of `count` messages of each key, interleaved. */
async function publishKeys(lab: Lab, topic: string, keys: readonly string[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) for (const key of keys) await lab.publish(topic, key, `${key}:${i}`);
}

/** What sources deliver, from where, and until when. */
export const consuming: readonly ConformanceCase[] = [
  busCase('messages of a key keep their order, stored before or after the subscription', async lab => {
    const topic = await lab.topic({ partitions: 4 });
    const keys = names('key', 9);
    await publishKeys(lab, topic, keys, 20);
    const reading = lab.consume(topic);
    await publishKeys(lab, topic, keys, 20);
    await lab.eventually(
      () => reading.values.length === 9 * 40,
      () => 'all',
    );
    const twice = [...Array(20).keys(), ...Array(20).keys()];
    for (const key of keys) {
      const mine = reading.values.filter(value => value?.startsWith(`${key}:`));
      assert.deepEqual(
        mine,
        twice.map(i => `${key}:${i}`),
      );
    }
  }),
  busCase('offsets of a partition ascend without repetition', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    await publishKeys(lab, topic, names('key', 5), 30);
    const reading = lab.consume(topic);
    await lab.eventually(
      () => reading.values.length === 150,
      () => 'all',
    );
    for (const partition of [0, 1]) {
      const offsets = reading.messages.filter(m => m.partition === partition).map(m => m.offset);
      assert.deepEqual(offsets, [...offsets.keys()]);
    }
  }),
  busCase('a reader begins at the earliest, at the latest, or at a log time', async lab => {
    const topic = await lab.topic();
    await lab.publishAll(topic, 'k', ['old', 'older']);
    await lab.passTime(2000);
    await lab.publish(topic, 'k', 'middle');
    const all = lab.consume(topic, { from: 'earliest' });
    await lab.sees(all, ['old', 'older', 'middle']);
    const time = (all.messages[2]?.logTime ?? 0) - 500;
    const [latest, timed] = [lab.consume(topic, { from: 'latest' }), lab.consume(topic, { from: { time } })];
    await lab.sees(timed, ['middle']);
    await lab.publish(topic, 'k', 'new');
    await lab.sees(timed, ['middle', 'new']);
    await lab.sees(latest, ['new']);
    const later = lab.consume(topic, { from: { time: (all.messages[2]?.logTime ?? 0) + 1e9 } });
    // A backend may have to ask somebody where the end is.
    await lab.passTime(1000);
    await lab.publish(topic, 'k', 'last');
    await lab.sees(later, ['last']);
  }),
  busCase(
    'a reader begins at the offsets that it names, and at the first or the end where there is none such',
    async lab => {
      const topic = await lab.topic({ partitions: 4 });
      for (const partition of [0, 1, 2, 3]) {
        for (const value of ['a', 'b', 'c'])
          await lab.publish(topic, 'k', `${value}${partition}`, { partition });
      }
      const start = (partition: number, at: number): StartOffset => ({
        topic,
        partition,
        offset: offset(at),
      });
      const [offsets, group] = [[start(0, 2), start(1, 9), start(2, 0)], lab.name('group')];
      const wanted = ['a2', 'a3', 'b2', 'b3', 'c0', 'c2', 'c3', 'd1'];
      const readings = [
        lab.consume(topic, { from: { offsets } }),
        lab.consume(topic, { from: { offsets }, group }),
      ];
      // What comes behind the end is read, and nothing before it.
      await lab.eventually(
        () => readings.every(({ values }) => values.length === wanted.length - 1),
        () => `all but one: ${readings.map(({ values }) => values.join()).join(' and ')}`,
      );
      await lab.publish(topic, 'k', 'd1', { partition: 1 });
      for (const reading of readings) {
        await lab.eventually(
          () => reading.values.length >= wanted.length,
          () => `${wanted.join()}, not ${reading.values.join()}`,
        );
        assert.deepEqual(reading.values.toSorted(), wanted);
      }
      // Offsets are a beginning, and what is committed goes before.
      await lab.commits(topic, group, 13);
      readings[1]?.stop();
      await lab.publish(topic, 'k', 'd0', { partition: 0 });
      await lab.sees(lab.consume(topic, { group, from: { offsets: [start(0, 0)] } }), ['d0']);
    },
  ),
  busCase('a group goes on where it committed, whatever `from` says; another group does not', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    await lab.publishAll(topic, 'k', ['a', 'b']);
    const first = lab.consume(topic, { group });
    await lab.sees(first, ['a', 'b']);
    await lab.commits(topic, group, 2);
    first.stop();
    await lab.publish(topic, 'k', 'c');
    await lab.sees(lab.consume(topic, { group, from: 'latest' }), ['c']);
    await lab.sees(lab.consume(topic, { group: lab.name('other') }), ['a', 'b', 'c']);
  }),
  busCase('what is not acked comes again to the next of the group, from the first gap on', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    await lab.publishAll(topic, null, ['a', 'b', 'c', 'd']);
    const first = lab.read(topic, { group });
    await lab.sees(first, ['a', 'b', 'c', 'd']);
    for (const index of [0, 2, 3]) first.duty(index).ack();
    await lab.commits(topic, group, 1);
    first.stop();
    await lab.sees(lab.consume(topic, { group }), ['b', 'c', 'd']);
    await lab.commits(topic, group, 4);
  }),
  busCase('a lone reader reads every partition and leaves no trace', async lab => {
    const topic = await lab.topic({ partitions: 3 });
    for (const partition of [0, 1, 2]) await lab.publish(topic, 'k', `p${partition}`, { partition });
    for (let round = 0; round < 2; round++) {
      const reading = lab.consume(topic);
      await lab.eventually(
        () => reading.values.length === 3,
        () => 'three messages',
      );
      assert.deepEqual(reading.values.toSorted(), ['p0', 'p1', 'p2']);
    }
    assert.deepEqual((await lab.bus.getTopicInfo(topic)).groups, []);
  }),
  busCase('untilEnd completes at what was the end, once all is settled', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    await lab.publish(topic, 'k', 'a', { partition: 0 });
    await lab.publish(topic, 'k', 'b', { partition: 1 });
    const reading = lab.read(topic, { untilEnd: true });
    await lab.eventually(
      () => reading.values.length === 2,
      () => 'two messages',
    );
    await lab.publish(topic, 'k', 'too late', { partition: 1 });
    await lab.passTime(100);
    assert.deepEqual([reading.values.toSorted(), reading.completed], [['a', 'b'], false]);
    reading.duty(0).ack();
    reading.duty(1).nack(0);
    await lab.eventually(
      () => reading.values.length === 3,
      () => 'the second attempt',
    );
    assert.equal(reading.completed, false);
    reading.duty(2).ack();
    await lab.eventually(
      () => reading.completed,
      () => 'completion',
    );
    assert.equal(reading.values.includes('too late'), false);
  }),
  busCase('untilEnd of nothing completes at once', async lab => {
    const reading = lab.read(await lab.topic({ partitions: 3 }), { untilEnd: true });
    await lab.eventually(
      () => reading.completed,
      () => 'completion',
    );
    assert.deepEqual(reading.values, []);
  }),
  busCase('a source reads several topics', async lab => {
    const [one, two, group] = [await lab.topic(), await lab.topic({ partitions: 2 }), lab.name('group')];
    const reading = lab.consume([one, two], { group });
    await lab.publish(one, 'k', 'a');
    await lab.publish(two, 'k', 'b');
    await lab.eventually(
      () => reading.values.length === 2,
      () => 'both',
    );
    assert.deepEqual(reading.messages.map(({ topic }) => topic).toSorted(), [one, two].toSorted());
  }),
  busCase('a message that a reader publishes while it reads comes after those that are there', async lab => {
    const topic = await lab.topic();
    const [first, second] = [lab.consume(topic), lab.consume(topic)];
    const echo = lab.read(topic, {}, (duty, message) => {
      duty.ack();
      if (message.key === 'ping') void lab.publish(topic, 'pong', 'pong');
    });
    await lab.bus.publishBatch(['ping', 'other'].map(key => ({ topic, key, payload: Buffer.from(key) })));
    for (const reading of [echo, first, second]) await lab.sees(reading, ['ping', 'other', 'pong']);
  }),
];
