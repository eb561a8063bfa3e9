import assert from 'node:assert/strict';
import { SettledTwiceError } from '../../core/settlement.ts';
import type { ConformanceCase } from './contract.ts';
import { busCase } from './lab.ts';

/** What a nack does, to the message and to others. */
export const redelivery: readonly ConformanceCase[] = [
  busCase(
    'a nacked message comes again after its delay, the same offset, as the second attempt',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      await lab.publish(topic, 'k', 'a');
      const reading = lab.read(topic, { group });
      await lab.sees(reading, ['a']);
      assert.equal(reading.duty(0).attempt, 1);
      reading.duty(0).nack(1000);
      await lab.passTime(500);
      assert.deepEqual(reading.values, ['a']);
      await lab.sees(reading, ['a', 'a']);
      assert.equal(reading.duty(1).attempt, 2);
      assert.equal(reading.messages[1]?.offset, reading.messages[0]?.offset);
      reading.duty(1).nack();
      await lab.sees(reading, ['a', 'a', 'a']);
      assert.equal(reading.duty(2).attempt, 3);
      reading.duty(2).ack();
      await lab.commits(topic, group, 1);
    },
    ['delayedRedelivery'],
  ),
  busCase(
    'successors of a nacked message wait for it, other keys flow on',
    async lab => {
      const topic = await lab.topic();
      const reading = lab.read(topic);
      await lab.publish(topic, 'a', 'a0');
      await lab.sees(reading, ['a0']);
      reading.duty(0).nack(1000);
      await lab.publishAll(topic, 'a', ['a1', 'a2']);
      await lab.publish(topic, 'b', 'b0');
      await lab.publish(topic, null, 'none');
      await lab.sees(reading, ['a0', 'b0', 'none']);
      await lab.passTime(1000);
      await lab.sees(reading, ['a0', 'b0', 'none', 'a0']);
      reading.duty(3).ack();
      await lab.sees(reading, ['a0', 'b0', 'none', 'a0', 'a1']);
      reading.duty(4).ack();
      await lab.sees(reading, ['a0', 'b0', 'none', 'a0', 'a1', 'a2']);
    },
    ['delayedRedelivery'],
  ),
  busCase(
    'successors that are out already are taken back: told so, without effect, and come again in order',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      await lab.publishAll(topic, 'a', ['a0', 'a1', 'a2']);
      await lab.publish(topic, 'b', 'b0');
      const reading = lab.read(topic, { group });
      await lab.sees(reading, ['a0', 'a1', 'a2', 'b0']);
      const { signal } = reading.duty(1);
      reading.duty(0).nack(100);
      assert.equal(signal.aborted, true);
      assert.deepEqual(
        [1, 2, 3].map(index => reading.duty(index).revoked),
        [true, true, false],
      );
      for (const index of [1, 2, 3]) reading.duty(index).ack();
      await lab.passTime(100);
      await lab.sees(reading, ['a0', 'a1', 'a2', 'b0', 'a0']);
      for (const [index, next] of [
        [4, 'a1'],
        [5, 'a2'],
      ] as const) {
        reading.duty(index).ack();
        await lab.eventually(
          () => reading.values.at(-1) === next,
          () => next,
        );
      }
      reading.duty(6).ack();
      await lab.commits(topic, group, 4);
      assert.deepEqual(reading.values, ['a0', 'a1', 'a2', 'b0', 'a0', 'a1', 'a2']);
    },
    ['delayedRedelivery'],
  ),
  busCase(
    'messages without a key block nobody',
    async lab => {
      const topic = await lab.topic();
      await lab.publishAll(topic, null, ['a', 'b']);
      const reading = lab.read(topic);
      await lab.sees(reading, ['a', 'b']);
      reading.duty(0).nack(1000);
      assert.equal(reading.duty(1).revoked, false);
      await lab.publish(topic, null, 'c');
      await lab.sees(reading, ['a', 'b', 'c']);
      await lab.passTime(1000);
      await lab.sees(reading, ['a', 'b', 'c', 'a']);
    },
    ['delayedRedelivery'],
  ),
  busCase('only the contiguous prefix is committed', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    await lab.publishAll(topic, null, ['a', 'b', 'c']);
    const reading = lab.read(topic, { group });
    await lab.sees(reading, ['a', 'b', 'c']);
    reading.duty(2).ack();
    reading.duty(1).ack();
    await lab.passTime(2000);
    const { groups } = await lab.bus.getTopicInfo(topic);
    assert.deepEqual(
      groups.filter(({ committed }) => committed > 0),
      [],
    );
    reading.duty(0).ack();
    await lab.commits(topic, group, 3);
  }),
  busCase('settling twice is an error', async lab => {
    const topic = await lab.topic();
    await lab.publishAll(topic, null, ['a', 'b']);
    const reading = lab.read(topic);
    await lab.sees(reading, ['a', 'b']);
    reading.duty(0).ack();
    assert.throws(() => reading.duty(0).ack(), SettledTwiceError);
    reading.duty(1).nack(1000);
    assert.throws(() => reading.duty(1).ack(), SettledTwiceError);
  }),
];
