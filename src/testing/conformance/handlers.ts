import assert from 'node:assert/strict';
import { MessageHeaders } from '../../core/headers.ts';
import { historyHeaders } from '../../core/message-history.ts';
import type { ConformanceCase } from './contract.ts';
import { busCase, names, textOf } from './lab.ts';

/** `subscribe` and `subscribeWithFilter`. */
export const handlers: readonly ConformanceCase[] = [
  busCase('returning is the ack, and one handler runs at a time', async lab => {
    const [topic, group] = [await lab.topic({ partitions: 2 }), lab.name('group')];
    let [running, most] = [0, 0];
    const seen: (string | null)[] = [];
    const handle = await lab.bus.subscribe(
      topic,
      async message => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        seen.push(textOf(message));
      },
      { group, maxInFlight: 10 },
    );
    for (const value of names('m', 10)) await lab.publish(topic, value, value);
    await lab.eventually(
      () => seen.length === 10,
      () => 'ten messages',
    );
    assert.equal(most, 1);
    await lab.commits(topic, group, 10);
    await handle.unsubscribe();
    await handle.closed;
  }),
  busCase('a message sent round again for one group is acked by the others', async lab => {
    const topic = await lab.topic();
    const groups = [lab.name('meant'), lab.name('other')] as const;
    const seen: string[] = [];
    for (const group of groups) {
      await lab.bus.subscribe(topic, message => void seen.push(`${group} ${textOf(message)}`), { group });
    }
    const headers = MessageHeaders.of({ [historyHeaders.addressee]: groups[0] });
    await lab.bus.publish({ topic, key: 'k', payload: Buffer.from('again'), headers });
    await lab.publish(topic, 'k', 'first');
    await lab.commits(topic, groups[1], 2);
    await lab.commits(topic, groups[0], 2);
    assert.deepEqual(seen.sort(), [`${groups[0]} again`, `${groups[0]} first`, `${groups[1]} first`].sort());
  }),
  busCase('as many handlers as asked for run at once, and never two of a key', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    const waiting: { readonly key: string | null; readonly go: () => void }[] = [];
    const running = new Set<string | null>();
    const overlaps: (string | null)[] = [];
    const finished: (string | null)[] = [];
    await lab.bus.subscribe(
      topic,
      async message => {
        if (running.has(message.key)) overlaps.push(message.key);
        running.add(message.key);
        await new Promise<void>(go => waiting.push({ key: message.key, go }));
        running.delete(message.key);
        finished.push(textOf(message));
      },
      { concurrency: 3, maxInFlight: 20 },
    );
    for (let i = 0; i < 4; i++)
      for (const key of ['a', 'b', 'c', 'd']) await lab.publish(topic, key, key + String(i));
    let most = 0;
    for (let done = 0; done < 16; done++) {
      await lab.eventually(
        () => waiting.length > 0,
        () => `a handler after ${done}`,
      );
      await lab.passTime(10);
      most = Math.max(most, waiting.length);
      waiting.shift()?.go();
    }
    await lab.eventually(
      () => finished.length === 16,
      () => 'all',
    );
    assert.deepEqual([overlaps, most], [[], 3]);
    for (const key of ['a', 'b', 'c', 'd']) {
      assert.deepEqual(
        finished.filter(value => value?.startsWith(key)),
        names(key, 4),
      );
    }
  }),
  busCase(
    'what a handler throws at comes again later, before its successors and behind other keys',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      const seen: (string | null)[] = [];
      let failures = 2;
      await lab.bus.subscribe(
        topic,
        message => {
          seen.push(textOf(message));
          if (textOf(message) === 'a0' && failures-- > 0) throw new Error('not now');
        },
        { group, redeliverAfterMs: 1000, concurrency: 4 },
      );
      await lab.bus.publishBatch(
        ['a0', 'a1', 'b0', 'b1'].map(value => ({ topic, key: value.charAt(0), payload: Buffer.from(value) })),
      );
      await lab.eventually(
        () => seen.length === 6,
        () => 'six calls',
      );
      assert.deepEqual(
        seen.filter(value => value?.startsWith('a')),
        ['a0', 'a0', 'a0', 'a1'],
      );
      assert.deepEqual(
        seen.filter(value => value?.startsWith('b')),
        ['b0', 'b1'],
      );
      assert.ok(seen.indexOf('b1') < seen.lastIndexOf('a0'));
      await lab.commits(topic, group, 4);
    },
  ),
  busCase('subscribeWithFilter acks what it does not hand on', async lab => {
    const [topic, group] = [await lab.topic(), lab.name('group')];
    const seen: (string | null)[] = [];
    await lab.bus.subscribeWithFilter(
      topic,
      ({ key }) => key === 'wanted',
      message => void seen.push(textOf(message)),
      { group },
    );
    for (const [key, value] of [
      ['wanted', 'a'],
      ['other', 'b'],
      ['wanted', 'c'],
      ['other', 'd'],
    ] as const) {
      await lab.publish(topic, key, value);
    }
    await lab.commits(topic, group, 4);
    assert.deepEqual(seen, ['a', 'c']);
  }),
  busCase(
    'unsubscribing waits for the handler that runs, and what it took not comes to the next',
    async lab => {
      const [topic, group] = [await lab.topic(), lab.name('group')];
      const gate = Promise.withResolvers<undefined>();
      const first: (string | null)[] = [];
      const handle = await lab.bus.subscribe(
        topic,
        async message => {
          first.push(textOf(message));
          await gate.promise;
        },
        { group, maxInFlight: 5 },
      );
      await lab.publishAll(topic, null, names('m', 8));
      await lab.eventually(
        () => first.length > 0,
        () => 'a first message',
      );
      let unsubscribed = false;
      const leaving = handle.unsubscribe().then(() => (unsubscribed = true));
      await lab.passTime(100);
      assert.equal(unsubscribed, false);
      gate.resolve(undefined);
      await leaving;
      await lab.commits(topic, group, first.length);
      await lab.sees(lab.consume(topic, { group }), names('m', 8).slice(first.length));
    },
  ),
  busCase('closed settles when the bus is stopped', async lab => {
    const handle = await lab.bus.subscribe(await lab.topic(), () => undefined, {});
    await lab.bus.stop();
    await handle.closed;
    await handle.unsubscribe();
  }),
];
