import { expect, it, onTestFinished } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { messageId } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { isBad } from './found.ts';
import { LiveReader } from './live-reader.ts';
import { withOwn } from '../with-own.ts';

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

/** A bus with a bug: who follows a topic sees what is not committed too, which `all` holds; who reads it to its end does not. */
function readingUncommitted(committed: EventBus, all: EventBus): EventBus {
  const source: EventBus['source'] = (topics, options) =>
    (options?.untilEnd === true ? committed : all).source(topics, options);
  return withOwn(committed, { source });
}

// Kills: a checker that counts how many there are, or which texts: what was given up is done again, and is there then.
it('finds out who saw what was given up, although it was sent again later', async () => {
  const [committed, all] = [createEventBus({ kind: 'stub' }), createEventBus({ kind: 'stub' })];
  for (const bus of [committed, all]) {
    await bus.start();
    onTestFinished(() => bus.stop());
    await bus.createTopic({ name: 'out', settings: defaultTopicSettings });
  }
  const publish = (bus: EventBus, id: string, text: string | null): Promise<unknown> =>
    bus.publish({
      topic: 'out',
      key: 'k',
      id: messageId(id),
      payload: text === null ? null : Buffer.from(text),
    });
  for (const [id, text] of [
    ['a', 'committed'],
    ['b', 'given up'],
    ['c', 'given up'],
  ] as const)
    await publish(all, id, text);
  await publish(committed, 'a', 'committed');
  const dirty = new LiveReader(readingUncommitted(committed, all), ['out']);
  const clean = new LiveReader(committed, ['out']);
  await expect.poll(() => dirty.seen).toBe(3);
  // As brokers do: what was given up keeps its offsets, at which nobody sees anything.
  for (const gap of ['gap 1', 'gap 2']) await publish(committed, gap, null);
  for (const bus of [committed, all]) for (const id of ['b', 'c']) await publish(bus, id, 'given up');
  await expect.poll(() => [dirty.seen, clean.seen]).toEqual([5, 5]);
  const [vanished, none] = [await dirty.vanished(), await clean.vanished()];
  expect([vanished, none]).toEqual([2, 0]);
  const rest = { lost: 0, wrong: 0, reordered: 0, duplicates: 0, backwards: 0 };
  expect(isBad({ ...rest, vanished }, 'at-least-once')).toBe(true);
  expect(isBad({ ...rest, vanished: none }, 'exactly-once')).toBe(false);
});
