import assert from 'node:assert/strict';
import { MessageHeaders } from '../../core/headers.ts';
import { messageId } from '../../core/message.ts';
import type { ConformanceCase } from './contract.ts';
import { busCase, names, refused } from './lab.ts';

/** Keys and what Kafka's murmur2 makes of them, from the tests of Kafka's own clients. */
const murmur2: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

/** What becomes of a message between `publish` and its reader. */
export const publishing: readonly ConformanceCase[] = [
  busCase('publish tells where the message is', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    const id = messageId('0f'.repeat(16));
    const first = await lab.publish(topic, 'k', 'a', { partition: 1, id });
    assert.deepEqual([first.topic, first.partition, first.offset, first.id], [topic, 1, 0, id]);
    assert.equal((await lab.publish(topic, 'k', 'b', { partition: 1 })).offset, 1);
    assert.equal((await lab.publish(topic, 'k', 'c', { partition: 0 })).offset, 0);
  }),
  busCase('key, payload, headers, event time and id arrive as they were sent', async lab => {
    const topic = await lab.topic();
    const headers = MessageHeaders.of([
      ['text', 'grüße'],
      ['repeated', '1'],
      ['binary', Uint8Array.of(0, 128, 255)],
      ['repeated', '2'],
      ['empty', ''],
    ]);
    const id = messageId('1234567890abcdef'.repeat(2));
    const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
    await lab.bus.publish({ topic, key: 'ключ', payload, headers, id, timestamp: 1_600_000_000_123 });
    const reading = lab.consume(topic);
    await lab.eventually(
      () => reading.messages.length === 1,
      () => 'one message',
    );
    const [message] = reading.messages;
    assert.ok(message);
    assert.deepEqual([message.id, message.key, message.timestamp], [id, 'ключ', 1_600_000_000_123]);
    assert.deepEqual([...(message.payload ?? [])], [...payload]);
    const flat = message.headers.toFlat().map(part => (typeof part === 'string' ? part : [...part]));
    const sent = headers.toFlat().map(part => (typeof part === 'string' ? part : [...part]));
    assert.deepEqual(flat, sent);
  }),
  busCase('no key, no payload and an empty payload are three things', async lab => {
    const topic = await lab.topic();
    await lab.publish(topic, null, 'no key');
    await lab.publish(topic, 'tombstone', null);
    await lab.publish(topic, 'empty', '');
    const reading = lab.consume(topic);
    await lab.sees(reading, ['no key', null, '']);
    assert.deepEqual(
      reading.messages.map(({ key }) => key),
      [null, 'tombstone', 'empty'],
    );
  }),
  busCase('what is left out is filled in: an id of its own, and the time', async lab => {
    const topic = await lab.topic();
    const receipts = [await lab.publish(topic, 'k', 'a'), await lab.publish(topic, 'k', 'b')];
    const reading = lab.consume(topic);
    await lab.sees(reading, ['a', 'b']);
    assert.deepEqual(
      reading.messages.map(({ id }) => id),
      receipts.map(({ id }) => id),
    );
    assert.notEqual(receipts[0]?.id, receipts[1]?.id);
    for (const { timestamp, logTime, headers } of reading.messages) {
      assert.ok(
        Math.abs(timestamp - logTime) < 60_000,
        `${timestamp} is not the time of publishing, ${logTime}`,
      );
      assert.equal(headers.size, 0);
    }
  }),
  busCase('log time is the time of the bus, whatever the event time', async lab => {
    const topic = await lab.topic();
    await lab.publish(topic, 'k', 'a', { timestamp: 5 });
    await lab.passTime(1000);
    await lab.publish(topic, 'k', 'b', { timestamp: 1 });
    const reading = lab.consume(topic);
    await lab.sees(reading, ['a', 'b']);
    const [a, b] = reading.messages;
    assert.ok(a && b);
    assert.deepEqual([a.timestamp, b.timestamp], [5, 1]);
    assert.ok(b.logTime - a.logTime >= 900, `${b.logTime} is not a second after ${a.logTime}`);
  }),
  busCase('a key has its partition as Kafka would choose it', async lab => {
    const topic = await lab.topic({ partitions: 12 });
    for (const [key, hash] of murmur2) {
      assert.equal((await lab.publish(topic, key, 'v')).partition, (hash & 0x7fffffff) % 12);
    }
  }),
  busCase('messages without a key go to every partition', async lab => {
    const topic = await lab.topic({ partitions: 3 });
    const partitions = new Set<number>();
    for (let i = 0; i < 60; i++) partitions.add((await lab.publish(topic, null, `${i}`)).partition);
    assert.equal(partitions.size, 3);
  }),
  busCase('a partition that is asked for is taken, whatever the key', async lab => {
    const topic = await lab.topic({ partitions: 4 });
    for (const partition of [3, 0, 2]) {
      assert.equal((await lab.publish(topic, 'one key', 'v', { partition })).partition, partition);
    }
  }),
  busCase('publishBatch gives one result a message, in order, the bad ones among them', async lab => {
    const topic = await lab.topic({ maxMessageBytes: 10 });
    const message = (value: string, to = topic) => ({ topic: to, key: 'k', payload: Buffer.from(value) });
    const results = await lab.bus.publishBatch([
      message('a'),
      message('much too large'),
      message('b'),
      message('c', lab.name('missing')),
      message('d'),
    ]);
    assert.deepEqual(
      results.map(result => (result.ok ? result.receipt.offset : result.error.code)),
      [0, 'message-too-large', 1, 'topic-not-found', 2],
    );
    await lab.sees(lab.consume(topic), ['a', 'b', 'd']);
    assert.deepEqual(await lab.bus.publishBatch([]), []);
  }),
  busCase('send calls back once a message', async lab => {
    const topic = await lab.topic();
    const told: (number | string | undefined)[] = [];
    for (const to of [topic, lab.name('missing'), topic]) {
      lab.bus.send({ topic: to, key: null, payload: null }, (error, receipt) =>
        told.push(error?.code ?? receipt?.offset),
      );
    }
    await lab.eventually(
      () => told.length >= 3,
      () => 'three calls',
    );
    await lab.passTime(100);
    assert.deepEqual(told.map(String).sort(), ['0', '1', 'topic-not-found']);
  }),
  busCase('a payload of the largest size is taken, one byte more is not', async lab => {
    const topic = await lab.topic({ maxMessageBytes: 1000 });
    await lab.publish(topic, 'k', 'x'.repeat(1000));
    await refused(lab.publish(topic, 'k', 'x'.repeat(1001)), 'message-too-large');
  }),
  busCase('a partition that there is not and a time that is none are refused', async lab => {
    const topic = await lab.topic({ partitions: 2 });
    for (const partition of [2, -1, 0.5]) {
      await refused(lab.publish(topic, 'k', 'v', { partition }), 'invalid-message');
    }
    for (const timestamp of [Number.NaN, Number.POSITIVE_INFINITY]) {
      await refused(lab.publish(topic, 'k', 'v', { timestamp }), 'invalid-message');
    }
    await lab.publishAll(topic, 'k', names('m', 2));
  }),
];
