import assert from 'node:assert/strict';
import { defaultTopicSettings } from '../../core/topic.ts';
import type { ConformanceCase } from './contract.ts';
import { busCase, refused } from './lab.ts';

/** Creating, deleting and describing topics. */
export const topics: readonly ConformanceCase[] = [
  busCase('a topic is created once, listed and described', async lab => {
    const topic = await lab.topic({ partitions: 3, maxMessageBytes: 5000 });
    await refused(lab.bus.createTopic({ name: topic, settings: defaultTopicSettings }), 'topic-exists');
    assert.ok((await lab.bus.listTopics()).includes(topic));
    assert.equal(lab.bus.partitionsOf(topic), 3);
    await lab.publish(topic, 'k', 'a', { partition: 2 });
    const info = await lab.bus.getTopicInfo(topic);
    assert.equal(info.name, topic);
    assert.equal(info.settings.partitions, 3);
    assert.deepEqual(
      info.partitions.map(({ partition, firstOffset, nextOffset }) => [partition, firstOffset, nextOffset]),
      [
        [0, 0, 0],
        [1, 0, 0],
        [2, 0, 1],
      ],
    );
    assert.ok((info.partitions[2]?.bytes ?? 0) > 0);
    assert.deepEqual(
      info.partitions.map(({ perSecond }) => perSecond),
      [0, 0, 1 / 60],
    );
    assert.deepEqual(info.groups, []);
  }),
  busCase('the ends of a topic are the offsets that its next messages get', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    assert.deepEqual(await lab.bus.endOffsets(topic), [0, 0]);
    await lab.publishAll(topic, 'k', ['a', 'b'], { partition: 1 });
    assert.deepEqual(await lab.bus.endOffsets(topic), [0, 2]);
    assert.equal((await lab.publish(topic, 'k', 'c', { partition: 1 })).offset, 2);
  }),
  busCase('a topic with an illegal name or setting is refused', async ({ bus }) => {
    for (const name of ['', '..', '../up', 'a/b', 'a b', 'x'.repeat(250)]) {
      await refused(bus.createTopic({ name, settings: defaultTopicSettings }), 'invalid-option');
    }
    const settings = { ...defaultTopicSettings, partitions: 0 };
    await refused(bus.createTopic({ name: 'none', settings }), 'invalid-option');
  }),
  busCase('what is not there is not found', async lab => {
    const missing = lab.name('missing');
    await refused(lab.publish(missing, 'k', 'a'), 'topic-not-found');
    await refused(lab.bus.getTopicInfo(missing), 'topic-not-found');
    await refused(lab.bus.endOffsets(missing), 'topic-not-found');
    await refused(lab.bus.deleteTopic(missing), 'topic-not-found');
    await refused(
      lab.bus.subscribe(missing, () => undefined, {}),
      'topic-not-found',
    );
    const reading = lab.read(missing);
    await lab.eventually(
      () => reading.error !== undefined,
      () => 'an error of the source',
    );
  }),
  busCase('the lag of a group is what it has not committed', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    await lab.publishAll(topic, 'k', ['a', 'b', 'c', 'd']);
    const reading = lab.read(topic, { group });
    await lab.sees(reading, ['a', 'b', 'c', 'd']);
    reading.duty(0).ack();
    await lab.commits(topic, group, 1);
    const { groups } = await lab.bus.getTopicInfo(topic);
    assert.deepEqual(groups, [{ group, partition: 0, committed: 1, lag: 3 }]);
  }),
  busCase('deleting a topic completes its sources and takes messages and offsets along', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    const other = await lab.topic();
    const [reading, untouched] = [lab.consume(topic, { group }), lab.consume(other)];
    await lab.publishAll(topic, 'k', ['a', 'b']);
    await lab.sees(reading, ['a', 'b']);
    await lab.bus.deleteTopic(topic);
    await lab.eventually(
      () => reading.completed,
      () => 'completion',
    );
    assert.deepEqual([reading.error, untouched.completed], [undefined, false]);
    await refused(lab.publish(topic, 'k', 'c'), 'topic-not-found');
    await lab.bus.createTopic({ name: topic, settings: defaultTopicSettings });
    await lab.publish(topic, 'k', 'new');
    await lab.sees(lab.consume(topic, { group }), ['new']);
  }),
];
