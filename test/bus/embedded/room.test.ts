import { expect, it } from 'vitest';
import { createEventBus } from '../../../src/backends.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';

// Kills: senders are let in before what is pending is stored, and never again where nobody reads.
it('takes a batch larger than a partition that nobody reads', async () => {
  const bus = createEventBus({ kind: 'stub', maxPartitionBytes: 10 * 1024, publishTimeoutMs: 500 });
  await bus.start();
  await bus.createTopic({ name: 'unread', settings: defaultTopicSettings });
  const batch = Array.from({ length: 100 }, (_, i) => ({
    topic: 'unread',
    key: 'k',
    payload: Buffer.alloc(200, i),
  }));
  const results = await bus.publishBatch(batch);
  await bus.stop();
  expect(results.map(result => result.ok && result.receipt.offset)).toEqual(batch.map((_, i) => i));
});
