import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { tapValues } from '../../operators/tap-values.ts';
import { OptionError } from '../../src/core/option.ts';
import { RecordingMeter, deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('batch of one', {
  make: () => batch({ count: 1 }),
  outputs: { a: ['a'], b: ['b'], c: ['c'] },
});

operatorContract('batch of two', {
  make: () => batch({ count: 2 }),
  outputs: { A: ['a'], C: ['c'], X: ['a', 'b'] },
  expected: {
    one: { out: '-----(A|)', acked: '-----a' },
    many: { out: '-----X-----(C|)', acked: ['-----(ab)', '-----------c'] },
    failure: { out: '-----F--X--|', acked: '--------(ab)' },
    'source error': { out: '-----#', acked: '', takenBack: 'a' },
    'never ending': { out: '-----X', acked: '-----(ab)' },
    'early unsubscribe': { out: '-----X', acked: '-----(ab)' },
    'nacked at the end': { out: '-----X--|', nacked: '-----(ab)' },
  },
});

const sized = (bytes: number): ReturnType<typeof given<number>> =>
  given(bytes, { payload: 'x'.repeat(bytes) });

describe('batch', () => {
  it('flushes by the time since the first of the batch, and starts anew with the next', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('-a-b------c---|');
      const out = source.pipe(batch({ count: 9, timeMs: 5 }, { scheduler }));
      expectDeliveries(out).toBe('------X-------(C|)', { X: ['a', 'b'], C: ['c'] });
      expectSettled({ acked: '------(ab)----c' });
    });
  });

  it('does not let the timer of a full batch cut the next one short', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('-a-b-c------d|').pipe(batch({ count: 2, timeMs: 5 }, { scheduler }));
      expectDeliveries(out).toBe('---X------C--(D|)', { X: ['a', 'b'], C: ['c'], D: ['d'] });
    });
  });

  it('flushes before the bytes would go past their bound, and when they reach it', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('-a-b-c-d-e-|', {
        a: sized(4),
        b: sized(4),
        c: sized(4),
        d: sized(6),
        e: sized(20),
      });
      const out = source.pipe(batch({ count: 9, bytes: 10 }));
      expectDeliveries(out).toBe('-----X-Y-Z-|', { X: [4, 4], Y: [4, 6], Z: [20] });
      expectSettled({ acked: ['-----(ab)', '-------(cd)', '---------e'] });
    });
  });

  it('flushes what waits before a message that is larger than the bound', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const out = hot('-a----b---|', { a: sized(4), b: sized(20) }).pipe(batch({ count: 9, bytes: 10 }));
      expectDeliveries(out).toBe('------(XY)|', { X: [4], Y: [20] });
    });
  });

  it('has the message of its last member', () => {
    const keys: unknown[] = [];
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('-a-b|', { a: given(1, { key: 'x' }), b: given(2, { key: 'y' }) });
      const look = tapValues((_: unknown, { key }) => keys.push(key));
      expectDeliveries(source.pipe(batch({ count: 2 }), look)).toBe('---X|', { X: [1, 2] });
    });
    expect(keys).toEqual(['y']);
  });

  it('lets failures pass at once, before what waits', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      expectDeliveries(hot('-aF-b|').pipe(batch({ count: 2 }))).toBe('--F-X|', {
        F: failureWith('handle', { stage: 'earlier' }),
        X: ['a', 'b'],
      });
    });
  });

  it('gauges what waits, never past its bound, and takes the gauge back', () => {
    const meter = new RecordingMeter();
    const waiting = (): number | undefined => meter.read('stream_buffered', { stage: 'gather' });
    const seen: (number | undefined)[] = [];
    deliveryTest(({ cold, at, expectDeliveries, expectSettled }) => {
      const out = cold('abcdefg').pipe(batch({ count: 3 }, { name: 'gather', meter }));
      expectDeliveries(out, { subscription: '^-------!' }).toBe('--X--Y', {
        X: ['a', 'b', 'c'],
        Y: ['d', 'e', 'f'],
      });
      for (let frame = 0; frame < 10; frame++) at(frame, () => seen.push(waiting()));
      expectSettled({ acked: ['--(abc)', '-----(def)'], takenBack: 'g' });
    });
    expect(seen).toEqual([1, 2, 0, 1, 2, 0, 1, 1, undefined, undefined]);
  });

  it('leaves out members that were taken back while they waited', () => {
    deliveryTest(({ hot, ledger, at, expectDeliveries, expectSettled }) => {
      at(2, () => ledger.takeBack('a'));
      expectDeliveries(hot('-a-b|').pipe(batch({ count: 2 }))).toBe('---X|', { X: ['b'] });
      expectSettled({ acked: '---b', takenBack: 'a' });
    });
  });

  it.each([
    [{ count: 0 }, 'batch.count is 0, must be a whole number from 1'],
    [{ count: 1.5 }, 'batch.count is 1.5, must be a whole number from 1'],
    [{ count: 1, bytes: 0 }, 'batch.bytes is 0, must be a whole number from 1'],
    [{ count: 1, timeMs: -1 }, 'batch.timeMs is -1, must be a number from 0'],
    [{ count: 1, timeMs: Number.NaN }, 'batch.timeMs is NaN, must be a number from 0'],
  ])('refuses %j when it is made', (limits, problem) => {
    expect(() => batch(limits)).toThrow(OptionError);
    expect(() => batch(limits)).toThrow(problem);
  });
});
