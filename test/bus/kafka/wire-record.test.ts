import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderValue } from '../../../src/core/headers.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { type OutgoingMessage, messageId } from '../../../src/core/message.ts';
import type { StoredRecord, WireRecord } from '../../../src/bus/kafka/driver.ts';
import { messageOf, recordOf, sizeOf } from '../../../src/bus/kafka/wire-record.ts';

const place = { topic: 't', partition: 3 };
const id = messageId('0123456789abcdef0123456789abcdef');

const bytes = (value: HeaderValue): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

/** As a broker hands it out again: headers are bytes. */
function stored(record: WireRecord, more: Partial<StoredRecord> = {}): StoredRecord {
  return {
    ...record,
    headers: record.headers.map((part, i) => (i % 2 === 0 ? part : bytes(part))),
    offset: 5,
    timestamp: 1000,
    ...more,
  };
}

describe('a message as a record', () => {
  it('comes back as it was: key, payload, headers in order with repeated names and bytes, id, event time', () => {
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
    const message = messageOf(place, stored(recordOf(outgoing, id, 500)));
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

  it('keeps a tombstone, and no key', () => {
    const message = messageOf(place, stored(recordOf({ topic: 't', key: null, payload: null }, id, 500)));
    expect(message).toMatchObject({ key: null, payload: null, timestamp: 500 });
  });

  it('keeps its own headers of the names that ours have', () => {
    const headers = MessageHeaders.of({ 'event-time': 'theirs', 'message-id': '42' }).append(
      'event-time',
      '7',
    );
    const outgoing = { topic: 't', key: 'k', payload: null, headers, timestamp: 77 };
    const message = messageOf(place, stored(recordOf(outgoing, id, 500)));
    expect(message).toMatchObject({ id, timestamp: 77 });
    expect(message.headers.toFlat()).toEqual(headers.toFlat());
  });

  it('of another program has the time of its record, and an id that is made of its place', () => {
    const foreign = {
      key: Buffer.from('k'),
      value: null,
      headers: ['event-time', 'soon', 'message-id', 'no hex'],
    };
    const message = messageOf(place, stored(foreign));
    expect(message.timestamp).toBe(1000);
    expect(message.headers.toFlat()).toEqual(foreign.headers);
    expect(messageOf(place, stored(foreign)).id).toBe(message.id);
    expect(messageOf(place, stored(foreign, { offset: 6 })).id).not.toBe(message.id);
    expect(messageOf({ ...place, partition: 4 }, stored(foreign)).id).not.toBe(message.id);
    expect(messageOf({ ...place, topic: 'u' }, stored(foreign)).id).not.toBe(message.id);
  });

  it('has a key that is no text as text from which the same bytes come again, and no other key', () => {
    const key = fc.uint8Array({ maxLength: 12 });
    const asText = (raw: Uint8Array): string | null =>
      messageOf(place, stored({ key: raw, value: null, headers: [] })).key;
    fc.assert(
      fc.property(key, key, (a, b) => {
        const record = recordOf({ topic: 't', key: asText(a), payload: null }, id, 0);
        expect(Buffer.from(record.key ?? [])).toEqual(Buffer.from(a));
        expect(asText(a) === asText(b)).toBe(Buffer.compare(a, b) === 0);
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
