import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageRing } from '../../../src/bus/embedded/message-ring.ts';
import type { Message } from '../../../src/core/message.ts';
import { messageOf } from '../../../src/testing/index.ts';

const offsets = (messages: readonly Message[]): number[] => messages.map(({ offset }) => offset);

describe('MessageRing', () => {
  it('holds what an array would, however it grows and is emptied', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 150 }), gap: fc.nat(3) }),
      fc.record({ drop: fc.nat(200) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(2_000), fc.nat(100), (steps, offset, max) => {
        const ring = new MessageRing();
        const model: Message[] = [];
        let next = 0;
        for (const now of steps) {
          if ('drop' in now) {
            for (let i = 0; i < now.drop; i++) expect(ring.shift()).toBe(model.shift());
            continue;
          }
          for (let i = 0; i < now.push; i++) {
            const message = messageOf({ offset: (next += 1 + now.gap) });
            ring.push(message);
            model.push(message);
          }
        }
        const from = model.findIndex(message => message.offset >= offset);
        const at = from < 0 ? model.length : from;
        expect(ring.length).toBe(model.length);
        expect(ring.indexOf(offset)).toBe(at);
        expect(offsets(ring.slice(at, max))).toEqual(offsets(model.slice(at, at + max)));
        expect([ring.at(0), ring.at(model.length)]).toEqual([model[0], undefined]);
      }),
    );
  });

  it('is empty once cleared, and takes messages again', () => {
    const ring = new MessageRing();
    for (let offset = 0; offset < 100; offset++) ring.push(messageOf({ offset }));
    ring.clear();
    expect([ring.length, ring.at(0), ring.shift(), ring.indexOf(0)]).toEqual([0, undefined, undefined, 0]);
    ring.push(messageOf({ offset: 7 }));
    expect(offsets(ring.slice(0, 10))).toEqual([7]);
  });
});
