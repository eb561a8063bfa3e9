import { describe, expect, it } from 'vitest';
import { delayUntil } from '../../operators/delay-until.ts';
import { RecordingMeter, deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('delayUntil of what is due', {
  make: ({ scheduler }) => delayUntil<string>(() => 0, { scheduler }),
  makeThrowing: ({ scheduler }, error) =>
    delayUntil<string>(
      () => {
        throw error;
      },
      { scheduler },
    ),
});

operatorContract('delayUntil 4 ms later', {
  make: ({ scheduler }) => delayUntil<string>((_, { timestamp }) => timestamp + 4, { scheduler }),
  expected: {
    one: { out: '------(a|)', acked: '------a' },
    many: { out: '------a--b--(c|)', acked: '------a--b--c' },
    failure: { out: '-----Fa-----(b|)', acked: '------a-----b' },
    'source error': { out: '-----#', acked: '', takenBack: 'a' },
    'never ending': { out: '------a--b', acked: '------a--b' },
    'early unsubscribe': { out: '------', acked: '', takenBack: 'ab' },
    'nacked at the end': { out: '------a--(b|)', nacked: '------a--b' },
  },
});

/** A value of a key, due at a time. */
const due = (key: string | null, timestamp: number): ReturnType<typeof given<string>> =>
  given(`${key ?? ''}${timestamp}`, { key, timestamp });
const whenTold = (_: string, { timestamp }: { readonly timestamp: number }): number => timestamp;

describe('delayUntil', () => {
  it('lets values out when they are due, with one timer', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const source = hot('abcd|', { a: due('k', 30), b: due('l', 20), c: due('m', 2), d: due(null, 10) });
      const out = source.pipe(delayUntil(whenTold, { scheduler, meter }));
      expectDeliveries(out).toBe('--c-------d---------b---------(a|)', {
        a: 'k30',
        b: 'l20',
        c: 'm2',
        d: '10',
      });
      at(4, () => expect(meter.read('stream_delayed', { stage: 'delayUntil' })).toBe(3));
      at(25, () => expect(meter.read('stream_delayed', { stage: 'delayUntil' })).toBe(1));
      expectSettled({ acked: '--c-------d---------b---------a' });
    });
    expect(meter.read('stream_delayed', { stage: 'delayUntil' })).toBeUndefined();
  });

  it('keeps the order of a key', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('abc---------------d|', {
        a: due('k', 10),
        b: due('k', 0),
        c: due('k', 5),
        d: due('k', 0),
      });
      const out = source.pipe(delayUntil(whenTold, { scheduler }));
      expectDeliveries(out).toBe('----------(abc)---d|', {
        a: 'k10',
        b: 'k0',
        c: 'k5',
        d: 'k0',
      });
    });
  });

  it('forgets what was taken back while it waited', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const source = hot('ab|', { a: due('k', 10), b: due('k', 12) });
      at(5, () => ledger.takeBack('a'));
      expectDeliveries(source.pipe(delayUntil(whenTold, { scheduler }))).toBe('------------(b|)', {
        b: 'k12',
      });
      expectSettled({ acked: '------------b', takenBack: 'a' });
    });
  });

  it('makes a failure of what its function throws, and goes on', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('ab|').pipe(
        delayUntil(
          letter => {
            if (letter === 'a') throw new Error('no time');
            return 0;
          },
          { scheduler },
        ),
      );
      expectDeliveries(out).toBe('Fb|', {
        F: failureWith('handle', { reason: 'no time', stage: 'delayUntil' }),
        b: 'b',
      });
    });
  });
});
