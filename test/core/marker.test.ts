import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Marker, markerMessage, markerOf } from '../../src/core/marker.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type Message, messageId, offset, partition } from '../../src/core/message.ts';

const stored = (marker: Marker, headers?: MessageHeaders): Message => {
  const message = markerMessage('t', 0, marker);
  return {
    id: messageId('0'),
    topic: 't',
    partition: partition(0),
    offset: offset(0),
    key: message.key,
    payload: message.payload,
    headers: headers ?? message.headers ?? MessageHeaders.empty,
    timestamp: marker.time,
    logTime: 0,
  };
};

describe('a marker', () => {
  it('says on the way for whom it speaks', () => {
    const parts = fc
      .integer({ min: 1, max: 40 })
      .chain(of =>
        fc.record({ of: fc.constant(of), covered: fc.uniqueArray(fc.nat(of - 1), { maxLength: of }) }),
      );
    fc.assert(
      fc.property(parts, ({ of, covered }) => {
        const read = markerOf(stored(new Marker('time', 5, undefined, { of, covered })));
        expect(read?.parts).toEqual({ of, covered: covered.toSorted((a, b) => a - b) });
      }),
    );
  });

  it('is short where it speaks for many in a row', () => {
    const { headers } = markerMessage(
      't',
      0,
      new Marker('end', 5, 'bars', { of: 12, covered: [7, 0, 1, 2, 3] }),
    );
    expect(headers?.get('marker-parts')).toBe('0-3,7/12');
  });

  it.each(['', '1', 'a/3', '1-/3', '0-99999999/3', '-1/3', '5-9/3'])(
    'that says %j of it speaks for nobody',
    text => {
      const headers = MessageHeaders.of({ marker: 'time', 'marker-parts': text });
      expect(markerOf(stored(new Marker('time', 5), headers))?.parts?.covered).toEqual([]);
    },
  );
});
