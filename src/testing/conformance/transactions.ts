import assert from 'node:assert/strict';
import type { Message } from '../../core/message.ts';
import type { TransactionSession } from '../../bus/transactions.ts';
import type { ConformanceCase } from './contract.ts';
import { type Lab, type Reading, busCase, names, refused, textOf } from './lab.ts';

const needs = ['transactions'] as const;

function open(lab: Lab, id = lab.name('session')): TransactionSession {
  const { transactions } = lab.bus;
  return transactions?.open(id) ?? assert.fail('a bus that is capable of transactions opens none');
}

function sent(session: TransactionSession, topic: string, value: string): Promise<void> {
  return new Promise((resolve, reject) => {
    session.send({ topic, key: 'k', payload: Buffer.from(value) }, error => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** All that others can read of a topic now. */
async function seen(lab: Lab, topic: string): Promise<(string | null)[]> {
  const reading = lab.consume(topic, { untilEnd: true });
  await lab.eventually(
    () => reading.completed,
    () => `the end of ${topic}`,
  );
  return reading.values;
}

/** Copies what comes from one topic to another, acking when that is sent; tells how many it has copied. */
function copying(
  lab: Lab,
  session: TransactionSession,
  from: string,
  to: string,
  group: string,
): { readonly reading: Reading; readonly count: () => number } {
  let count = 0;
  const reading = lab.read(from, { group, transaction: session }, (duty, message: Message) => {
    void sent(session, to, textOf(message) ?? '').then(
      () => {
        count++;
        duty.ack();
      },
      () => undefined,
    );
  });
  return { reading, count: () => count };
}

async function copied(lab: Lab, { count }: { readonly count: () => number }, wanted: number): Promise<void> {
  await lab.eventually(
    () => count() === wanted,
    () => `${wanted} copied, it is ${count()}`,
  );
}

/** Outputs and offsets that become visible together, or never. */
export const transactions: readonly ConformanceCase[] = [
  busCase(
    'a session without sources makes what it sends visible together',
    async lab => {
      const topic = await lab.topic();
      const session = open(lab);
      for (const value of ['a', 'b']) await sent(session, topic, value);
      assert.deepEqual(await seen(lab, topic), []);
      await session.commit();
      await lab.eventually(
        async () => (await seen(lab, topic)).join() === 'a,b',
        () => 'a and b to be seen',
      );
      await session.close();
    },
    needs,
  ),
  busCase(
    'what is sent by a session is seen when it is committed, with the progress of its sources, and not before',
    async lab => {
      const [from, to, group] = [await lab.topic(), await lab.topic(), lab.name('group')];
      await lab.publishAll(from, 'k', names('m', 3));
      const session = open(lab);
      const copy = copying(lab, session, from, to, group);
      await copied(lab, copy, 3);
      assert.deepEqual(await seen(lab, to), []);
      assert.deepEqual(await lab.bus.endOffsets(to), [0]);
      await session.commit();
      await lab.eventually(
        async () => (await seen(lab, to)).length === 3,
        () => 'three messages',
      );
      assert.deepEqual(await seen(lab, to), names('m', 3));
      await lab.commits(from, group, 3);
      await session.close();
    },
    needs,
  ),
  busCase(
    'what was aborted is never seen, and its sources come again from the last commit',
    async lab => {
      const [from, to, group] = [await lab.topic(), await lab.topic(), lab.name('group')];
      const session = open(lab);
      const first = copying(lab, session, from, to, group);
      await lab.publish(from, 'k', 'a');
      await copied(lab, first, 1);
      await session.commit();
      await lab.publishAll(from, 'k', ['b', 'c']);
      await copied(lab, first, 3);
      first.reading.stop();
      await session.abort();
      const again = copying(lab, session, from, to, group);
      await copied(lab, again, 2);
      await session.commit();
      await lab.eventually(
        async () => (await seen(lab, to)).length === 3,
        () => 'three messages',
      );
      assert.deepEqual(await seen(lab, to), ['a', 'b', 'c']);
      await session.close();
    },
    needs,
  ),
  busCase(
    'who waits at the end of a topic sees what is committed, and goes past what is aborted',
    async lab => {
      const to = await lab.topic();
      const reading = lab.consume(to);
      const session = open(lab);
      await withPartition(lab, session);
      await sent(session, to, 'never');
      await session.abort();
      await withPartition(lab, session);
      await sent(session, to, 'now');
      await lab.passTime(200);
      assert.deepEqual(reading.values, []);
      await session.commit();
      await lab.sees(reading, ['now']);
      await lab.publish(to, 'k', 'plain');
      await lab.sees(reading, ['now', 'plain']);
      await session.close();
    },
    needs,
  ),
  busCase(
    'what is not settled is counted in messages, whatever marks of transactions lie between them',
    async lab => {
      const topic = await lab.topic();
      const session = open(lab);
      for (const value of ['a', 'b', 'c']) {
        await sent(session, topic, value);
        await session.commit();
      }
      const { reading, load } = lab.readMeasured(topic);
      await lab.eventually(
        () => reading.values.join() === 'a,b,c',
        () => `a,b,c, it is ${reading.values.join()}`,
      );
      assert.deepEqual(load(), [3, 3, 0]);
      reading.duty(1).ack();
      assert.deepEqual(load(), [2, 3, 0]);
      reading.duty(0).ack();
      assert.deepEqual(load(), [1, 1, 0]);
      await session.close();
    },
    needs,
  ),
  busCase(
    'a session of the same name fences the one before: it commits no more, and what it sent is never seen',
    async lab => {
      const [to, id] = [await lab.topic(), lab.name('session')];
      const [old, young] = [open(lab, id), open(lab, id)];
      await withPartition(lab, old);
      await sent(old, to, 'old');
      await withPartition(lab, young);
      await sent(young, to, 'young');
      await refused(old.commit(), 'fenced');
      await young.commit();
      await lab.eventually(
        async () => (await seen(lab, to)).length > 0,
        () => 'a message',
      );
      assert.deepEqual(await seen(lab, to), ['young']);
      await old.close();
      await young.close();
    },
    needs,
  ),
  busCase(
    'a member that has lost its partition commits nothing for it, and its successor does the work once',
    async lab => {
      const [from, to, group] = [await lab.topic({ partitions: 2 }), await lab.topic(), lab.name('group')];
      for (const [i, value] of names('m', 4).entries())
        await lab.publish(from, `k${i}`, value, { partition: i % 2 });
      const [mine, theirs] = [open(lab), open(lab)];
      const broken: string[] = [];
      mine.broken$.subscribe(({ code }) => broken.push(code));
      const first = copying(lab, mine, from, to, group);
      await copied(lab, first, 4);
      // Nobody commits: when the group has waited for long enough it goes on without.
      const second = copying(lab, theirs, from, to, group);
      await copied(lab, second, 2);
      await lab.eventually(
        () => broken.length > 0,
        () => 'told that it is broken',
      );
      await refused(mine.commit(), 'fenced');
      first.reading.stop();
      await mine.abort();
      const again = copying(lab, mine, from, to, group);
      await copied(lab, again, 2);
      await mine.commit();
      await theirs.commit();
      await lab.eventually(
        async () => (await seen(lab, to)).length === 4,
        () => 'four messages',
      );
      assert.deepEqual((await seen(lab, to)).sort(), names('m', 4));
      await lab.commits(from, group, 4);
      await mine.close();
      await theirs.close();
    },
    needs,
  ),
  busCase(
    'a member asks for a commit before others come, and gives up its partitions with nothing left to do again',
    async lab => {
      const [from, to, group] = [await lab.topic({ partitions: 2 }), await lab.topic(), lab.name('group')];
      for (const [i, value] of names('m', 4).entries())
        await lab.publish(from, `k${i}`, value, { partition: i % 2 });
      const [mine, theirs] = [open(lab), open(lab)];
      const broken: string[] = [];
      mine.broken$.subscribe(({ code }) => broken.push(code));
      const committing: Promise<void>[] = [];
      mine.hurry$.subscribe(() => committing.push(mine.commit()));
      const first = copying(lab, mine, from, to, group);
      await copied(lab, first, 4);
      const second = copying(lab, theirs, from, to, group);
      await lab.eventually(
        () => committing.length > 0,
        () => 'asked to hurry',
      );
      await Promise.all(committing);
      await lab.publishAll(from, 'k0', ['n0'], { partition: 0 });
      await lab.publishAll(from, 'k1', ['n1'], { partition: 1 });
      await lab.eventually(
        () => first.count() + second.count() === 6,
        () => `six copied, it is ${first.count() + second.count()}`,
      );
      assert.deepEqual([first.count(), second.count(), broken], [5, 1, []]);
      await mine.commit();
      await theirs.commit();
      await lab.commits(from, group, 6);
      await mine.close();
      await theirs.close();
    },
    needs,
  ),
  busCase(
    'a source that has a transaction but no group is refused',
    async lab => {
      const topic = await lab.topic();
      const reading = lab.read(topic, { transaction: open(lab) });
      await lab.eventually(
        () => reading.error !== undefined,
        () => 'an error',
      );
      assert.equal((reading.error as { code?: string }).code, 'invalid-option');
    },
    needs,
  ),
];

/** Gives the session a partition to speak for: what is sent for nothing that was read is nobody's to commit. */
async function withPartition(lab: Lab, session: TransactionSession): Promise<void> {
  const from = await lab.topic();
  await lab.publish(from, 'k', 'm');
  const reading = lab.consume(from, { group: lab.name('group'), transaction: session });
  await lab.sees(reading, ['m']);
}
