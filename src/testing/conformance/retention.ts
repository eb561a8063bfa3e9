import assert from 'node:assert/strict';
import { Subject } from 'rxjs';
import type { StartOffset } from '../../bus/event-bus.ts';
import type { ConformanceCase } from './contract.ts';
import { type Lab, busCase, names } from './lab.ts';

const needs = ['retention-on-demand'] as const;
const options = { maintenanceIntervalMs: 1000 };
const minute = 60_000;
const kilobyte = 'x'.repeat(1000);

const firstOffset = async (lab: Lab, topic: string): Promise<number> =>
  (await lab.bus.getTopicInfo(topic)).partitions[0]?.firstOffset ?? assert.fail('no partition');

/** What the bus forgets, and what not. */
export const retention: readonly ConformanceCase[] = [
  busCase(
    'what is older than the topic keeps goes, and newer things stay',
    async lab => {
      const topic = await lab.topic({ retentionMs: minute });
      await lab.publishAll(topic, 'k', ['a', 'b']);
      await lab.passTime(minute + 5000);
      assert.equal(await firstOffset(lab, topic), 2);
      await lab.publish(topic, 'k', 'c');
      await lab.passTime(minute / 2);
      await lab.sees(lab.consume(topic), ['c']);
    },
    needs,
    options,
  ),
  busCase(
    'what a live group has not committed stays, however old',
    async lab => {
      const [topic, group] = [await lab.topic({ retentionMs: minute }), lab.name('group')];
      await lab.publishAll(topic, null, ['a', 'b', 'c']);
      const reading = lab.read(topic, { group });
      await lab.sees(reading, ['a', 'b', 'c']);
      await lab.passTime(2 * minute);
      reading.stop();
      const next = lab.read(topic, { group });
      await lab.sees(next, ['a', 'b', 'c']);
      for (const index of [0, 1, 2]) next.duty(index).ack();
      await lab.passTime(2 * minute);
      assert.equal(await firstOffset(lab, topic), 3);
    },
    needs,
    options,
  ),
  busCase(
    'what a group is still preparing to read stays as well',
    async lab => {
      const [topic, group] = [await lab.topic({ retentionMs: minute }), lab.name('group')];
      await lab.publishAll(topic, null, ['a', 'b']);
      const go = new Subject<readonly StartOffset[]>();
      const lifecycle = { assigned: () => go, revoked: () => undefined };
      const reading = lab.consume(topic, { group, lifecycle });
      await lab.passTime(2 * minute);
      go.next([]);
      await lab.sees(reading, ['a', 'b']);
    },
    needs,
    options,
  ),
  busCase(
    'a partition shrinks to what it may keep, but for what a live group has not committed',
    async lab => {
      const [topic, group] = [await lab.topic({ retentionBytes: 20_000 }), lab.name('group')];
      await lab.publishAll(topic, null, names(kilobyte, 60));
      assert.ok((await firstOffset(lab, topic)) >= 30, 'nothing went');
      const reading = lab.read(topic, { group });
      await lab.eventually(
        () => reading.values.length > 0,
        () => 'messages',
      );
      const first = reading.messages[0]?.offset ?? assert.fail('no message');
      await lab.passTime(5000);
      assert.ok((await firstOffset(lab, topic)) <= first);
      reading.stop();
      const again = lab.read(topic, { group });
      await lab.eventually(
        () => again.messages[0]?.offset === first,
        () => 'the same message first',
      );
    },
    needs,
    options,
  ),
  busCase(
    'compaction keeps the newest of each key, at its offset',
    async lab => {
      const topic = await lab.topic({ compaction: true, retentionMs: minute });
      for (let i = 0; i < 10; i++) for (const key of ['a', 'b']) await lab.publish(topic, key, `${key}${i}`);
      await lab.publish(topic, 'c', 'c0');
      await lab.passTime(2 * minute);
      const reading = lab.consume(topic);
      await lab.sees(reading, ['a9', 'b9', 'c0']);
      assert.deepEqual(
        reading.messages.map(({ offset }) => Number(offset)),
        [18, 19, 20],
      );
      await lab.publish(topic, 'a', 'a10');
      await lab.sees(reading, ['a9', 'b9', 'c0', 'a10']);
    },
    [...needs, 'compaction'],
    options,
  ),
  busCase(
    'a group reads on over the gaps that compaction left',
    async lab => {
      const [topic, group] = [await lab.topic({ compaction: true }), lab.name('group')];
      for (let i = 0; i < 10; i++) for (const key of ['a', 'b']) await lab.publish(topic, key, `${key}${i}`);
      const reading = lab.read(topic, { group, maxInFlight: 3 });
      await lab.sees(reading, ['a0', 'b0', 'a1']);
      await lab.passTime(5000);
      reading.stop();
      const next = lab.consume(topic, { group });
      await lab.eventually(
        () => next.values.at(-1) === 'b9',
        () => 'the newest',
      );
      await lab.commits(topic, group, 20);
    },
    [...needs, 'compaction'],
    options,
  ),
];
