import { expect, it, onTestFinished } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { LiveReader } from './live-reader.ts';

it('counts what was seen and is there no more, or another in its stead', async () => {
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  onTestFinished(() => bus.stop());
  const topic = { name: 'out', settings: { ...defaultTopicSettings, partitions: 2 } };
  const publish = async (...texts: readonly string[]): Promise<void> => {
    for (const text of texts)
      await bus.publish({ topic: 'out', key: null, payload: Buffer.from(text), partition: 0 });
  };
  await bus.createTopic(topic);
  await publish('a', 'b');
  const whole = new LiveReader(bus, ['out']);
  await publish('c');
  await expect.poll(() => whole.seen).toBe(3);
  expect(await whole.vanished()).toBe(0);
  const other = new LiveReader(bus, ['out']);
  await expect.poll(() => other.seen).toBe(3);
  await bus.deleteTopic('out');
  await bus.createTopic(topic);
  await publish('a', 'd');
  expect(await other.vanished()).toBe(3);
});
