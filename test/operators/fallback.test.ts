import { EMPTY, type Observable, concat, delay, finalize, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fallback } from '../../operators/fallback.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import type { Failure } from '../../src/core/failure.ts';
import { OptionError } from '../../src/core/option.ts';
import { RecordingMeter, deliveryTest, failureWith, givenFailure } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('fallback', {
  make: ({ scheduler }) => fallback(() => 'recovered', { scheduler }),
  expected: { failure: { out: '--a--r--b--|', acked: '--a--F--b', nacked: '' } },
  outputs: { a: 'a', b: 'b', c: 'c', r: 'recovered' },
});

operatorContract('fallback that accepts nothing', {
  make: ({ scheduler }) => fallback(() => 'recovered', { when: () => false, scheduler }),
});

const named = (key: string, reason = key): ReturnType<typeof givenFailure> =>
  givenFailure({ reason }, { key });

describe('fallback', () => {
  it('gives the value of what is recovered from, by the failure and the message, and counts it', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const recover = ({ reason }: Failure, { offset }: { readonly offset: number }): string =>
        `${reason} ${offset}`;
      const out = hot('-a-F-b|', { a: 'a', F: named('F', 'gone'), b: 'b' }).pipe(
        fallback(recover, { meter }),
      );
      expectDeliveries(out).toBe('-a-r-b|', { a: 'a', r: 'gone 1', b: 'b' });
      expectSettled({ acked: '-a-F-b' });
    });
    expect(meter.count('stream_fallback_total', { stage: 'fallback', tag: 'handle' })).toBe(1);
  });

  it('lets pass what it is not for', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const out = hot('-F-G|', { F: givenFailure({ retryable: false }), G: givenFailure() }).pipe(
        fallback<string, string>(() => 'r', { when: ({ retryable }) => retryable, meter }),
      );
      expectDeliveries(out).toBe('-F-r|', { F: failureWith('handle', { reason: 'failed before' }), r: 'r' });
      expectSettled({ acked: '---G', nacked: '-F' });
    });
    expect(meter.count('stream_fallback_total', { stage: 'fallback', tag: 'handle' })).toBe(1);
  });

  it('leaves the failure what it was, with both reasons, where recovering or asking throws', () => {
    const seen: Failure[] = [];
    const meter = new RecordingMeter();
    const thrown = new Error('empty');
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('-F-G|', { F: named('F', 'first'), G: named('G', 'second') });
      const recovering = fallback<string, string>(
        () => {
          throw thrown;
        },
        {
          when: ({ reason }) => {
            if (reason === 'second') throw new Error('no idea');
            return true;
          },
          name: 'cache',
          scheduler,
          meter,
        },
      );
      const settle = (delivery: Delivery<string>): void => {
        if (!delivery.ok) seen.push(delivery.failure);
        delivery[settlement].nack();
      };
      expectDeliveries(source.pipe(recovering), { settle }).toBe('-F-G|', {
        F: failureWith('handle', {
          stage: 'earlier',
          reason: 'first; and cache failed: empty',
          retryable: true,
          firstAt: 0,
          lastAt: 1,
        }),
        G: failureWith('handle', { reason: 'second; and cache failed: no idea', lastAt: 3 }),
      });
    });
    expect(seen[0]?.cause).toBeInstanceOf(AggregateError);
    expect((seen[0]?.cause as AggregateError).errors).toEqual([undefined, thrown]);
    expect(meter.count('stream_fallback_total', { stage: 'cache', tag: 'handle' })).toBe(0);
  });

  it('follows an Observable as each does: several values, none, an error, an error after a value', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const errored = throwError(() => new Error('empty'));
      const recovered: Readonly<Record<string, Observable<string>>> = {
        several: of('x', 'y').pipe(delay(2, scheduler)),
        none: EMPTY,
        error: errored,
        both: concat(of('z'), errored),
      };
      const inputs = { A: named('several'), B: named('none'), C: named('error'), D: named('both') };
      const out = hot('A-----B-C-D-----|', inputs).pipe(
        fallback<string, string>(({ reason }) => recovered[reason] ?? 'never', { scheduler, meter }),
      );
      expectDeliveries(out).toBe('--(xy)--C-(zD)--|', {
        x: 'x',
        y: 'y',
        z: 'z',
        C: failureWith('handle', { reason: 'error; and fallback failed: empty' }),
        D: failureWith('handle', { reason: 'both; and fallback failed: empty' }),
      });
      expectSettled({ acked: '--A---B', nacked: '--------C-D' });
    });
    expect(meter.count('stream_filtered_total', { stage: 'fallback' })).toBe(1);
    expect(meter.count('stream_fallback_total', { stage: 'fallback', tag: 'handle' })).toBe(2);
  });

  it('lets failures of one key wait for each other, and so many in all run at once', () => {
    const meter = new RecordingMeter();
    const waiting: (number | undefined)[] = [];
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const inputs = { A: named('k'), B: named('k'), C: named('l'), D: named('m'), E: named('n') };
      const out = hot('ABCDE|', { ...inputs }).pipe(
        fallback<string, string>((_, { key }) => of(key ?? '').pipe(delay(6, scheduler)), {
          concurrency: 2,
          maxWaiting: 2,
          scheduler,
          meter,
        }),
      );
      // A and C run, B waits for A, D for a place.
      expectDeliveries(out).toBe('----E-A-C---D-(B|)', {
        A: 'k',
        B: 'k',
        C: 'l',
        D: 'm',
        E: failureWith('handle', {
          reason: 'n; and fallback failed: 2 failures wait already: raise concurrency or maxWaiting',
        }),
      });
      at(3, () => waiting.push(meter.read('stream_buffered', { stage: 'fallback' })));
      expectSettled({ acked: '------A-C---D-B', nacked: '----E' });
      at(30, () => waiting.push(meter.read('stream_buffered', { stage: 'fallback' })));
    });
    expect(waiting).toEqual([2, undefined]);
  });

  it('forgets what runs when it is unsubscribed from', () => {
    const ended: number[] = [];
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const running = of('r').pipe(
        delay(9, scheduler),
        finalize(() => ended.push(scheduler.frame)),
      );
      const source = cold('F---a---|');
      const out = source.pipe(fallback<string, string>(() => running, { scheduler }));
      expectDeliveries(out, { subscription: '^----!' }).toBe('----a-');
      expectSettled({ acked: '----a', takenBack: 'F' });
    });
    expect(ended).toEqual([5]);
  });

  it.each([
    [{ concurrency: 0 }, 'fallback.concurrency is 0, must be a whole number from 1'],
    [{ maxWaiting: -1 }, 'fallback.maxWaiting is -1, must be a whole number from 0'],
  ])('refuses %j when it is made', (options, problem) => {
    expect(() => fallback(() => 'r', options)).toThrow(OptionError);
    expect(() => fallback(() => 'r', options)).toThrow(problem);
  });
});
