import { describe, expect, it } from 'vitest';
import { rateLimit } from '../../operators/rate-limit.ts';
import { OptionError } from '../../src/core/option.ts';
import { RecordingMeter, deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('rateLimit that is not reached', {
  make: ({ scheduler }) => rateLimit<string>({ perSecond: 1000 }, { scheduler }),
  makeThrowing: ({ scheduler }, error) =>
    rateLimit<string>(
      {
        perSecond: 1000,
        key: () => {
          throw error;
        },
      },
      { scheduler },
    ),
});

operatorContract('rateLimit that makes values wait', {
  make: ({ scheduler }) => rateLimit<string>({ perSecond: 200 }, { scheduler }),
  expected: {
    many: { out: '--a----b----(c|)', acked: '--a----b----c' },
    failure: { out: '--a--F--b--|' },
    'never ending': { out: '--a----b', acked: '--a----b' },
    'early unsubscribe': { out: '--a', acked: '--a', takenBack: 'b' },
    'nacked at the end': { out: '--a----b|', nacked: '--a----b' },
  },
});

describe('rateLimit', () => {
  it('lets a burst pass, then keeps the pace, then rests and bursts again', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      // One in 6 ms; a group takes as much room as it has characters.
      const source = hot('(abcde) 23ms (fgh)|');
      const limited = rateLimit<string>({ perSecond: 1000 / 6, burst: 3 }, { scheduler });
      expectDeliveries(source.pipe(limited)).toBe('(abc)-d-----e 17ms (fgh)|');
      expectSettled({ acked: ['(abc)', '------d-----e', '30ms (fgh)'] });
    });
  });

  it('keeps the pace where an interval is no whole number of milliseconds', () => {
    const times: number[] = [];
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries }) => {
      const source = hot('(abcdefghij)|');
      const out = source.pipe(rateLimit<string>({ perSecond: 300 }, { scheduler }));
      expectDeliveries(out).toBe('a---b--c--d---e--f--g---h--i--(j|)');
      at(100, () => times.push(...ledger.settled.map(entry => entry.settledAt ?? -1)));
    });
    expect(times).toEqual([0, 4, 7, 10, 14, 17, 20, 24, 27, 30]);
  });

  it('has a bucket for each key, and keeps the order of each', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const of = (value: string): ReturnType<typeof given<string>> =>
        given(value, { key: value.slice(0, 1) });
      const source = hot('abcde|', { a: of('x1'), b: of('x2'), c: of('y1'), d: of('x3'), e: of('y2') });
      const limited = rateLimit<string>({ perSecond: 100, key: (_, { key }) => key ?? '' }, { scheduler });
      expectDeliveries(source.pipe(limited)).toBe('a-c-------b-e-------(d|)', {
        a: 'x1',
        b: 'x2',
        c: 'y1',
        d: 'x3',
        e: 'y2',
      });
      expectSettled({ acked: 'a-c-------b-e-------d' });
    });
  });

  it('fails what finds no room to wait, and only that', () => {
    const meter = new RecordingMeter();
    const waiting: (number | undefined)[] = [];
    deliveryTest(({ cold, scheduler, at, expectDeliveries, expectSettled }) => {
      const limited = rateLimit<string>(
        { perSecond: 100, maxWaiting: 2 },
        { scheduler, meter, name: 'slow' },
      );
      const out = cold('abcde------f|').pipe(limited);
      expectDeliveries(out).toBe('a--DE-----b---------c---------(f|)', {
        a: 'a',
        b: 'b',
        c: 'c',
        f: 'f',
        D: failureWith('overflow', { limit: 2, stage: 'slow', firstAt: 3, retryable: true }),
        E: failureWith('overflow', {
          reason: '2 values wait already: send less, or raise perSecond or maxWaiting',
        }),
      });
      for (let frame = 0; frame < 35; frame++) {
        at(frame, () => waiting.push(meter.read('stream_buffered', { stage: 'slow' })));
      }
      expectSettled({ acked: 'a---------b---------c---------f', nacked: '---de' });
    });
    expect(Math.max(...waiting.map(n => n ?? 0))).toBe(2);
    expect(waiting.slice(0, 5)).toEqual([0, 1, 2, 2, 2]);
    expect(waiting.at(-1)).toBeUndefined();
  });

  it('gives a token to who waits, not to who comes in the same moment', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('ab--------c|').pipe(rateLimit<string>({ perSecond: 100 }, { scheduler }));
      expectDeliveries(out).toBe('a---------b---------(c|)');
    });
  });

  it('lets failures pass without a token, before what waits', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('ab-F-|').pipe(rateLimit<string>({ perSecond: 100 }, { scheduler }));
      expectDeliveries(out).toBe('a--F------(b|)', {
        a: 'a',
        b: 'b',
        F: failureWith('handle', { stage: 'earlier' }),
      });
    });
  });

  it('spends no token on what was taken back while it waited', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      at(3, () => ledger.takeBack('b'));
      const out = hot('abc|').pipe(rateLimit<string>({ perSecond: 100 }, { scheduler }));
      expectDeliveries(out).toBe('a---------(c|)');
      expectSettled({ acked: 'a---------c', takenBack: 'b' });
    });
  });

  it('forgets idle keys when a new one comes, and keeps those whose bucket is not full', () => {
    const meter = new RecordingMeter();
    const keys: (number | undefined)[] = [];
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      const source = hot('(abc) 1895ms a 199ms d|');
      const limits = { perSecond: 1, burst: 2, key: (letter: string) => letter };
      expectDeliveries(source.pipe(rateLimit(limits, { scheduler, meter }))).toBe('(abc) 1895ms a 199ms d|');
      for (const time of [0, 1950, 2100, 2200]) {
        at(time, () => keys.push(meter.read('stream_rate_keys', { stage: 'rateLimit' })));
      }
    });
    expect(keys).toEqual([3, 3, 2, undefined]);
  });

  // Kills: a timer for the sweep, that would keep a process alive for as long as a huge burst takes to come back.
  it('leaves no timer behind while nobody waits', () => {
    deliveryTest(({ cold, scheduler, at, expectDeliveries }) => {
      const out = cold('ab').pipe(rateLimit({ perSecond: 0.001, burst: 1_000_000 }, { scheduler }));
      expectDeliveries(out).toBe('ab');
      at(5, () => expect(scheduler.actions).toEqual([]));
    });
  });

  it.each([
    [{ perSecond: 0 }, 'rateLimit.perSecond is 0, must be a number from 0.001 to 1000000'],
    [{ perSecond: Number.POSITIVE_INFINITY }, 'rateLimit.perSecond is Infinity'],
    [{ perSecond: 1, burst: 0 }, 'rateLimit.burst is 0, must be a whole number from 1'],
    [{ perSecond: 1, maxWaiting: -1 }, 'rateLimit.maxWaiting is -1, must be a whole number from 0'],
  ])('refuses %j when it is made', (limits, problem) => {
    expect(() => rateLimit(limits)).toThrow(OptionError);
    expect(() => rateLimit(limits)).toThrow(problem);
  });
});
