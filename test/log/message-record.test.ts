import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type Message, messageId, offset, partition } from '../../src/core/message.ts';
import { RecordEncoder, decodeRecord, keyOfRecord } from '../../src/log/message-record.ts';

function message(parts: Partial<Message> = {}): Message {
  return {
    id: messageId('0123456789abcdef0123456789abcdef'),
    topic: 'prices',
    partition: partition(3),
    offset: offset(41),
    key: 'BTC-USD',
    payload: Buffer.from('payload'),
    headers: MessageHeaders.empty,
    timestamp: 1_700_000_000_123.25,
    logTime: 1_700_000_000_500,
    ...parts,
  };
}

/** What a test compares: bytes as plain arrays, headers as a list. */
function plain({ payload, headers, ...rest }: Message): object {
  return {
    ...rest,
    payload: payload === null ? null : [...payload],
    headers: headers.toFlat().map(part => (typeof part === 'string' ? part : [...part])),
  };
}

function throughTheCodec(messages: readonly Message[]): Message[] {
  return new RecordEncoder().encode(messages).map(record => decodeRecord('prices', 3, record));
}

const headerValue = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.uint8Array({ maxLength: 80 }),
);
const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    id: fc.oneof(
      fc.stringMatching(/^[0-9a-f]{32}$/),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.stringMatching(/^[0-9A-F]{32}$/),
    ),
    key: fc.option(fc.string({ unit: 'grapheme', maxLength: 120 })),
    payload: fc.option(fc.uint8Array({ maxLength: 300 })),
    headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 60 }), headerValue), {
      maxLength: 6,
    }),
    timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
    offset: fc.nat(),
  })
  .map(({ id, headers, offset: at, ...rest }) =>
    message({ ...rest, id: messageId(id), offset: offset(at), headers: MessageHeaders.of(headers) }),
  );

describe('the record codec', () => {
  it('gives back every message as it was', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), messages => {
        expect(throughTheCodec(messages).map(plain)).toEqual(messages.map(plain));
      }),
    );
  });

  it('tells the key alone', () => {
    fc.assert(
      fc.property(anyMessage, one => {
        const [record] = new RecordEncoder().encode([one]);
        expect(keyOfRecord(record!)).toBe(one.key);
      }),
    );
  });

  it('takes 16 bytes for an id of hex digits, and no more than the text for another', () => {
    const size = (id: string): number =>
      new RecordEncoder().encode([message({ id: messageId(id) })])[0]!.body.length;
    expect(size('f'.repeat(31) + 'g') - size('f'.repeat(32))).toBe(33 - 16);
  });

  it('keeps an empty payload and an empty key apart from none', () => {
    const empty = message({ key: '', payload: new Uint8Array(0) });
    const none = message({ key: null, payload: null });
    expect(throughTheCodec([empty, none]).map(plain)).toEqual([plain(empty), plain(none)]);
  });

  it('takes a batch larger than the memory that it keeps', () => {
    const large = Array.from({ length: 5 }, () => message({ payload: new Uint8Array(1_500_000).fill(7) }));
    expect(throughTheCodec(large).map(({ payload }) => payload?.length)).toEqual(large.map(() => 1_500_000));
  });

  it('refuses what it does not know, and what ends too early', () => {
    const [record] = new RecordEncoder().encode([message()]);
    const { body } = record!;
    expect(() => decodeRecord('prices', 3, { ...record!, body: Buffer.from([0x80]) })).toThrow(
      /record 41 begins with flags 128/,
    );
    for (let length = 0; length < body.length - 'payload'.length; length++) {
      expect(() => decodeRecord('prices', 3, { ...record!, body: body.subarray(0, length) })).toThrow(
        RangeError,
      );
    }
    const endless = Buffer.concat([Buffer.from([0]), Buffer.alloc(8), Buffer.alloc(9, 0xff)]);
    expect(() => decodeRecord('prices', 3, { ...record!, body: endless })).toThrow(/more than 5 bytes/);
  });
});
