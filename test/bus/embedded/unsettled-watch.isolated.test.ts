import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createEventBus } from '../../../src/backends.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Which offsets are told as lost, of 300 of which those are thrown away. */
async function lostOf(isThrownAway: (offset: number) => boolean): Promise<readonly number[]> {
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  await bus.createTopic({ name: 't', settings: { ...defaultTopicSettings, partitions: 1 } });
  const lost: number[] = [];
  bus.source('t', { onLost: ({ offset }) => lost.push(offset) }).subscribe(delivery => {
    if (!isThrownAway(delivery.message.offset)) delivery[settlement].ack();
  });
  await bus.publishBatch(Array.from({ length: 300 }, () => ({ topic: 't', key: null, payload: null })));
  for (let turn = 0; turn < 20 && lost.length === 0; turn++) {
    collectGarbage();
    await nextTurn();
  }
  await bus.stop();
  return lost;
}

it('tells of deliveries thrown away unsettled, also where the first ones were settled', async () => {
  const lost = await lostOf(offset => offset >= 10);
  expect(lost.length).toBeGreaterThan(0);
  for (const offset of lost) expect(offset).toBeGreaterThanOrEqual(10);
});

it('tells of nothing where all are settled', async () => {
  expect(await lostOf(() => false)).toEqual([]);
});

it('tells of nothing where a partition has gone and come again, and what is out of it now is kept', async () => {
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  await bus.createTopic({ name: 't', settings: { ...defaultTopicSettings, partitions: 2 } });
  const kept: unknown[] = [];
  const lost = new Set<number>();
  let [keeps, came] = [false, 0];
  const read = bus.source('t', { group: 'g', onLost: ({ partition }) => lost.add(partition) });
  const reading = read.subscribe(delivery => {
    came++;
    if (keeps) kept.push(delivery);
  });
  await bus.publishBatch(
    Array.from({ length: 600 }, (_, i) => ({ topic: 't', key: `k${i}`, payload: Buffer.from('x') })),
  );
  keeps = true;
  const before = came;
  bus.source('t', { group: 'g' }).subscribe().unsubscribe();
  for (let turn = 0; turn < 20; turn++) {
    collectGarbage();
    await nextTurn();
  }
  expect(before).toBe(600);
  expect(came).toBeGreaterThan(before);
  expect(kept).toHaveLength(came - before);
  expect(lost.size).toBe(1);
  reading.unsubscribe();
  await bus.stop();
});
