import { describe, expect, it } from 'vitest';
import { expire } from '../../operators/expire.ts';
import { Marker } from '../../src/core/marker.ts';
import { OptionError } from '../../src/core/option.ts';
import { deliveryTest, failureWith, given, givenMarker } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('expire', { make: ({ scheduler }) => expire<string>(1, { scheduler }) });

describe('expire', () => {
  it('fails what happened too long ago, and not what is just young enough or of the future', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('100ms abcd|', {
        a: given('a', { timestamp: 50 }),
        b: given('b', { timestamp: 50, attempt: 2 }),
        c: given('c', { timestamp: 52 }),
        d: given('d', { timestamp: 900 }),
      });
      expectDeliveries(source.pipe(expire(50, { scheduler }))).toBe('100ms aFcd|', {
        a: 'a',
        F: failureWith('expired', {
          stage: 'expire',
          reason: '51 ms old by its event time, may be 50 ms',
          attempts: 2,
          firstAt: 101,
          retryable: false,
          limitMs: 50,
        }),
        c: 'c',
        d: 'd',
      });
      expectSettled({ acked: '100ms a-cd', nacked: '101ms b' });
    });
  });

  it('goes by the time in the log where it is told to', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('100ms ab|', {
        a: given('a', { timestamp: 0, logTime: 90 }),
        b: given('b', { timestamp: 100, logTime: 0 }),
      });
      const out = source.pipe(expire(50, { by: 'log-time', scheduler, name: 'fresh' }));
      expectDeliveries(out).toBe('100ms aF|', {
        a: 'a',
        F: failureWith('expired', { stage: 'fresh', reason: '101 ms old by its log time, may be 50 ms' }),
      });
    });
  });

  it('passes markers, however old', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const marker = new Marker('time', 1);
      const out = hot('100ms m|', { m: givenMarker(marker) }).pipe(expire(50, { scheduler }));
      expectDeliveries(out).toBe('100ms m|', { m: marker });
    });
  });

  it('refuses an age out of range when it is made', () => {
    expect(() => expire(0)).toThrow(OptionError);
    expect(() => expire(Number.NaN)).toThrow('expire.maxAgeMs is NaN, must be a number from 1');
  });
});
