import { expect, it } from 'vitest';
import { createEventBus } from '../../../src/backends.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';

// Kills: a consumer of many partitions that reads all of them before anything it sends is stored and read on.
it('stores what deliveries send, and delivers it, before too many more are made', async () => {
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  const settings = { ...defaultTopicSettings, partitions: 12 };
  await bus.createTopic({ name: 'first', settings });
  await bus.createTopic({ name: 'second', settings });
  let [ahead, mostAhead, seen] = [0, 0, 0];
  bus.source('first').subscribe(delivery => {
    mostAhead = Math.max(mostAhead, ++ahead);
    const { key, payload } = delivery.message;
    bus.send({ topic: 'second', key, payload }, () => delivery[settlement].ack());
  });
  bus.source('second').subscribe(delivery => {
    ahead--;
    seen++;
    delivery[settlement].ack();
  });
  await bus.publishBatch(
    Array.from({ length: 1_000 }, (_, i) => ({ topic: 'first', key: `k${i}`, payload: Buffer.from('x') })),
  );
  await bus.stop();
  expect([seen, ahead]).toEqual([1_000, 0]);
  expect(mostAhead).toBeLessThanOrEqual(128);
});
