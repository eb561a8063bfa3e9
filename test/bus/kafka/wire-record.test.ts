import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderValue } from '../../../src/core/headers.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { type OutgoingMessage, messageId } from '../../../src/core/message.ts';
import type { StoredRecord, WireRecord } from '../../../src/bus/kafka/driver.ts';
import { readBatches } from '../../../src/bus/kafka/records/batch-reader.ts';
import { writeBatch } from '../../../src/bus/kafka/records/batch-writer.ts';
import { messageOf, recordOf, sizeOf } from '../../../src/bus/kafka/wire-record.ts';

const place = { topic: 't', partition: 3 };
const id = messageId('0123456789abcdef0123456789abcdef');

const bytes = (value: HeaderValue): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

/** As a broker hands it out again. */
async function stored(record: WireRecord, more: Partial<StoredRecord> = {}): Promise<StoredRecord> {
  const batch = await writeBatch([record], { compression: 'none', origin: undefined, timestamp: 1000 });
  const [read] = (await readBatches(batch, [])).records;
  if (read === undefined) throw new Error('the batch is empty');
  return { ...read, offset: 5, ...more };
}

describe('a message as a record', () => {
  it('comes back as it was: key, payload, headers in order with repeated names and bytes, id, event time', async () => {
    const outgoing: OutgoingMessage = {
      topic: 't',
      key: 'schlüssel',
      payload: Buffer.from([0, 255]),
      headers: MessageHeaders.of([
        ['b', '1'],
        ['a', Buffer.from([0xff, 0xfe])],
        ['b', '2'],
      ]),
      timestamp: 77,
    };
    const message = messageOf(place, await stored(recordOf(outgoing, id, 500)));
    expect(message).toMatchObject({
      ...place,
      id,
      key: 'schlüssel',
      offset: 5,
      timestamp: 77,
      logTime: 1000,
    });
    expect(message.payload).toEqual(Buffer.from([0, 255]));
    expect(message.headers.toFlat()).toEqual(['b', '1', 'a', Buffer.from([0xff, 0xfe]), 'b', '2']);
  });

  it('keeps a tombstone, and no key', async () => {
    const message = messageOf(
      place,
      await stored(recordOf({ topic: 't', key: null, payload: null }, id, 500)),
    );
    expect(message).toMatchObject({ key: null, payload: null, timestamp: 500 });
  });

  it('keeps its own headers of the names that ours have', async () => {
    const headers = MessageHeaders.of({ 'event-time': 'theirs', 'message-id': '42' }).append(
      'event-time',
      '7',
    );
    const outgoing = { topic: 't', key: 'k', payload: null, headers, timestamp: 77 };
    const message = messageOf(place, await stored(recordOf(outgoing, id, 500)));
    expect(message).toMatchObject({ id, timestamp: 77 });
    expect(message.headers.toFlat()).toEqual(headers.toFlat());
  });

  it('of another program has the time of its record, and an id that is made of its place', async () => {
    const foreign = {
      key: Buffer.from('k'),
      value: null,
      headers: ['event-time', 'soon', 'message-id', 'no hex'],
    };
    const message = messageOf(place, await stored(foreign));
    expect(message.timestamp).toBe(1000);
    expect(message.headers.toFlat()).toEqual(foreign.headers);
    expect(messageOf(place, await stored(foreign)).id).toBe(message.id);
    expect(messageOf(place, await stored(foreign, { offset: 6 })).id).not.toBe(message.id);
    expect(messageOf({ ...place, partition: 4 }, await stored(foreign)).id).not.toBe(message.id);
    expect(messageOf({ ...place, topic: 'u' }, await stored(foreign)).id).not.toBe(message.id);
  });

  it('has a key that is no text as text from which the same bytes come again, and no other key', async () => {
    const key = fc.uint8Array({ maxLength: 12 });
    const asText = async (raw: Uint8Array): Promise<string | null> =>
      messageOf(place, await stored({ key: raw, value: null, headers: [] })).key;
    await fc.assert(
      fc.asyncProperty(key, key, async (a, b) => {
        const record = recordOf({ topic: 't', key: await asText(a), payload: null }, id, 0);
        expect(Buffer.from(bytes(record.key ?? ''))).toEqual(Buffer.from(a));
        expect((await asText(a)) === (await asText(b))).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it('is never larger than it is said to be', () => {
    const part = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(part, part, part, (key, name, value) => {
        const headers = MessageHeaders.of([[name, value]]);
        const record = recordOf({ topic: 't', key, payload: Buffer.from(value), headers }, id, 0);
        const parts = [record.key ?? '', record.value ?? '', ...record.headers];
        expect(sizeOf(record)).toBeGreaterThan(parts.reduce((sum, each) => sum + bytes(each).length, 0));
      }),
    );
  });
});
