import assert from 'node:assert/strict';
import { type Observable, Subject, of } from 'rxjs';
import type { PartitionLifecycle, StartOffset, TopicPartition } from '../../bus/event-bus.ts';
import { offset } from '../../core/message.ts';
import type { ConformanceCase } from './contract.ts';
import { type Lab, type Reading, busCase, names, textOf } from './lab.ts';

const partitionsSeen = (reading: Reading): number[] =>
  [...new Set(reading.messages.map(({ partition }) => Number(partition)))].sort((a, b) => a - b);

async function publishEverywhere(lab: Lab, topic: string, partitions: number, value: string): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    await lab.publish(topic, 'k', `${value}${partition}`, { partition });
  }
}

/** Knows which partitions a member holds, those included that it still prepares; takes until `go` emits to do so. */
class Holdings implements PartitionLifecycle {
  readonly held = new Set<number>();
  readonly #go: Observable<readonly StartOffset[]>;

  constructor(go: Observable<readonly StartOffset[]> = of([])) {
    this.#go = go;
  }

  assigned(partitions: readonly TopicPartition[]): Observable<readonly StartOffset[]> {
    for (const { partition } of partitions) this.held.add(partition);
    return this.#go;
  }

  revoked(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.held.delete(partition);
  }
}

/** Waits until each member holds so many partitions. */
async function holds(lab: Lab, ...wanted: readonly (readonly [Holdings, number])[]): Promise<void> {
  await lab.eventually(
    () => wanted.every(([{ held }, count]) => held.size === count),
    () =>
      `${wanted.map(([, count]) => count).join()} held, it is ${wanted.map(([{ held }]) => held.size).join()}`,
  );
}

/** Members of one group, and partitions that change hands. */
export const groups: readonly ConformanceCase[] = [
  busCase('members share the partitions, and each message comes to one of them', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 4 }), lab.name('group')];
    const [mine, theirs] = [new Holdings(), new Holdings()];
    const one = lab.consume(topic, { group, lifecycle: mine });
    const two = lab.consume(topic, { group, lifecycle: theirs });
    await holds(lab, [mine, 2], [theirs, 2]);
    await publishEverywhere(lab, topic, 4, 'm');
    await lab.eventually(
      () => one.values.length + two.values.length >= 4,
      () => 'four messages',
    );
    await lab.passTime(100);
    assert.deepEqual([...one.values, ...two.values].sort(), names('m', 4));
    assert.deepEqual([partitionsSeen(one).length, partitionsSeen(two).length], [2, 2]);
  }),
  busCase('who wants all partitions or none has all, until it leaves', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 3 }), lab.name('group')];
    const [mine, theirs] = [new Holdings(), new Holdings()];
    const one = lab.consume(topic, { group, exclusive: true, lifecycle: mine });
    await holds(lab, [mine, 3]);
    lab.consume(topic, { group, exclusive: true, lifecycle: theirs });
    await publishEverywhere(lab, topic, 3, 'm');
    await lab.eventually(
      () => one.values.length === 3,
      () => 'all of it',
    );
    await holds(lab, [mine, 3], [theirs, 0]);
    one.stop();
    await holds(lab, [theirs, 3]);
  }),
  busCase('more members than partitions: some wait, and take over when one leaves', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    const members = names('', 3).map(() => lab.consume(topic, { group }));
    await lab.publish(topic, 'k', 'a');
    const total = (): number => members.reduce((sum, { values }) => sum + values.length, 0);
    await lab.eventually(
      () => total() === 1,
      () => 'one message',
    );
    await lab.commits(topic, group, 1);
    members.find(({ values }) => values.length > 0)?.stop();
    await lab.publish(topic, 'k', 'b');
    await lab.eventually(
      () => total() === 2,
      () => 'the second message',
    );
    assert.ok(members.some(({ values }) => values.length === 1 && values[0] === 'b'));
  }),
  busCase(
    'a handler whose partition is revoked is told, can no longer ack, and the new owner gets it',
    async lab => {
      const [topic, group] = [await lab.topic({ partitions: 2 }), lab.name('group')];
      await publishEverywhere(lab, topic, 2, 'm');
      const signals = new Map<string | null, AbortSignal>();
      const gate = Promise.withResolvers<undefined>();
      const handle = await lab.bus.subscribe(
        topic,
        async (message, signal) => {
          signals.set(textOf(message), signal);
          await gate.promise;
        },
        { group, concurrency: 2, maxInFlight: 2 },
      );
      // One key in two partitions: its second message waits for the first, whose handler is the one to look at.
      await lab.eventually(
        () => signals.size > 0,
        () => 'a handler',
      );
      const other = lab.read(topic, { group });
      await lab.eventually(
        () => other.values.length === 1,
        () => 'what the first member lost',
      );
      gate.resolve(undefined);
      await lab.passTime(100);
      const [lost] = other.values;
      const isLost = signals.get(lost ?? null);
      assert.ok(isLost === undefined || isLost.aborted, 'the old owner was not told');
      for (const [value, signal] of signals) assert.equal(signal.aborted, value === lost);
      const committed = (await lab.bus.getTopicInfo(topic)).groups.filter(
        lag => lag.lag > 0 && lag.committed > 0,
      );
      assert.deepEqual(committed, []);
      other.duty(0).ack();
      await lab.commits(topic, group, 2);
      await handle.unsubscribe();
    },
  ),
  busCase('a delivery of a revoked partition knows it, and its ack is without effect', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 2 }), lab.name('group')];
    await publishEverywhere(lab, topic, 2, 'm');
    const one = lab.read(topic, { group });
    await lab.eventually(
      () => one.values.length === 2,
      () => 'both messages',
    );
    const signals = [0, 1].map(index => one.duty(index).signal);
    const two = lab.read(topic, { group });
    await lab.eventually(
      () => two.values.length === 1,
      () => 'the taken-over message',
    );
    const lost = one.values.indexOf(two.values[0] ?? null);
    assert.deepEqual(
      [0, 1].map(index => one.duty(index).revoked),
      [0, 1].map(index => index === lost),
    );
    assert.deepEqual(
      signals.map(signal => signal.aborted),
      [0, 1].map(index => index === lost),
    );
    one.duty(lost).ack();
    one.duty(1 - lost).ack();
    await lab.commits(topic, group, 1);
    two.stop();
    await lab.eventually(
      () => one.values.length === 3,
      () => 'the message back at the first member',
    );
    assert.equal(one.values[2], one.values[lost]);
  }),
  busCase('who leaves mid-run loses nothing for the group', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 3 }), lab.name('group')];
    const done = new Set<string | null>();
    for (let round = 0; round < 5; round++) {
      for (const value of names(`r${round}-`, 12)) await lab.publish(topic, value, value);
      const leaving = lab.read(topic, { group, maxInFlight: 5 }, (duty, message) => {
        if (message.offset % 3 === round % 3) return;
        done.add(textOf(message));
        duty.ack();
      });
      await lab.eventually(
        () => leaving.values.length > 0,
        () => 'something to leave behind',
      );
      leaving.stop();
    }
    lab.read(topic, { group }, (duty, message) => {
      done.add(textOf(message));
      duty.ack();
    });
    await lab.eventually(
      () => done.size === 60,
      () => `60 messages handled, there are ${done.size}`,
    );
    await lab.commits(topic, group, 60);
  }),
  busCase(
    'a lifecycle names where to begin, limits the commits, and hears what is settled and revoked',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      await lab.publishAll(topic, null, names('m', 5));
      const calls: string[] = [];
      const place = ({ partition }: TopicPartition): string => `${partition}`;
      const reading = lab.consume(topic, {
        group,
        lifecycle: {
          assigned: partitions => {
            calls.push(`assigned ${partitions.map(place).join()}`);
            return of(partitions.map(({ partition }) => ({ topic, partition, offset: offset(2) })));
          },
          revoked: partitions => void calls.push(`revoked ${partitions.map(place).join()}`),
          commitLimit: () => 4,
          settled: (_, partition, upTo) => void calls.push(`settled ${partition}@${upTo}`),
        },
      });
      await lab.sees(reading, ['m2', 'm3', 'm4']);
      await lab.commits(topic, group, 4);
      reading.stop();
      assert.equal(calls[0], 'assigned 0');
      assert.ok(calls.includes('settled 0@5'));
      assert.equal(calls.at(-1), 'revoked 0');
    },
    ['seek'],
  ),
  busCase(
    'a lifecycle can ask how many deliveries are not settled, and over how many messages they are spread',
    async lab => {
      const topic = await lab.topic({ partitions: 2 });
      for (const [i, partition] of [0, 0, 0, 1].entries())
        await lab.publish(topic, 'k', `m${i}`, { partition });
      const { reading, load } = lab.readMeasured(topic);
      await lab.eventually(
        () => reading.values.length === 4,
        () => `4 messages, there are ${reading.values.length}`,
      );
      const counts = [load()];
      for (const value of ['m2', 'm1', 'm3', 'm0']) {
        reading.duty(reading.values.indexOf(value)).ack();
        counts.push(load());
      }
      assert.deepEqual(counts, [
        [4, 4, 0],
        [3, 4, 0],
        [2, 4, 0],
        [1, 3, 0],
        [0, 0, 0],
      ]);
    },
  ),
  busCase('a source tells what was dropped behind an unsettled message, by whom that was done', async lab => {
    const topic = await lab.topic();
    await lab.publishAll(topic, 'k', ['m0', 'm1', 'm2', 'm3', 'm4']);
    const { reading, load } = lab.readMeasured(topic);
    await lab.sees(reading, ['m0', 'm1', 'm2', 'm3', 'm4']);
    const counts = [load()];
    const letGo = [() => reading.duty(0).drop('filter'), () => reading.duty(2).drop('filter')];
    const others = [() => reading.duty(3).drop('another'), () => reading.duty(4).nack(0)];
    for (const settle of [...letGo, ...others, () => reading.duty(1).ack()]) {
      settle();
      counts.push(load());
    }
    assert.deepEqual(counts, [
      [5, 5, 0],
      [4, 4, 0],
      [3, 4, 1],
      [2, 4, 1],
      [1, 4, 1],
      [0, 1, 0],
    ]);
  }),
  busCase('a partition that changes hands while it is being prepared has one reader', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 4 }), lab.name('group')];
    await publishEverywhere(lab, topic, 4, 'm');
    const [go, goOther] = [new Subject<readonly StartOffset[]>(), new Subject<readonly StartOffset[]>()];
    const [mine, theirs] = [new Holdings(go), new Holdings(goOther)];
    const one = lab.read(topic, { group, lifecycle: mine });
    await holds(lab, [mine, 4]);
    const two = lab.read(topic, { group, lifecycle: theirs });
    await holds(lab, [mine, 2], [theirs, 2]);
    assert.deepEqual([one.values, two.values], [[], []]);
    go.next([]);
    goOther.next([]);
    await lab.eventually(
      () => one.values.length + two.values.length >= 4,
      () => 'four messages',
    );
    await lab.passTime(100);
    assert.deepEqual([...one.values, ...two.values].sort(), names('m', 4));
    for (const reading of [one, two]) for (const index of reading.values.keys()) reading.duty(index).ack();
    await lab.commits(topic, group, 4);
  }),
];
