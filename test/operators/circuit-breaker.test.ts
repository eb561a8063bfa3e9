import { EMPTY, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { circuitBreaker } from '../../operators/circuit-breaker.ts';
import { each } from '../../operators/each.ts';
import { fanOut } from '../../operators/fan-out.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { OptionError } from '../../src/core/option.ts';
import { stage, stagesOf } from '../../src/core/stage.ts';
import { RecordingMeter, deliveryTest, failureWith, givenFailure } from '../../src/testing/index.ts';
import {
  type Section,
  answers,
  letters,
  openedAt,
  service,
  slowService,
  takeOut,
  throwOnCapital,
} from './failing-service.ts';
import { operatorContract } from './operator-contract.ts';

const refused = failureWith('circuit-open', { stage: 'circuitBreaker', retryable: true, attempts: 1 });

operatorContract('circuitBreaker round a section that passes', {
  make: ({ scheduler, meter }) =>
    circuitBreaker<string, string>(
      map(same => same),
      { scheduler, meter },
    ),
});

describe('circuitBreaker', () => {
  it('is what its diagram says', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('--a--B--C--d--e--------------|', letters);
      const guarded = circuitBreaker(service, { failures: 2, coolDownMs: 15, scheduler });
      expectDeliveries(source.pipe(guarded)).toBe('--a--B--C--------------(de)--|', answers);
      expectSettled({ acked: ['--a', '23ms (de)'], nacked: '-----B--C' });
    });
  });

  describe('closed', () => {
    it('opens after so many failures in a row, five by default', () => {
      expect(openedAt('ABCD-E-f|')).toBe(5);
      expect(openedAt('ABCD-E-f', { failures: 6 })).toBeUndefined();
      expect(openedAt('A-f', { failures: 1 })).toBe(0);
    });

    it('starts the count anew with an output', () => {
      expect(openedAt('ABCDeFGHI')).toBeUndefined();
      expect(openedAt('ABCDeFGHIJ')).toBe(9);
    });

    it('starts the count anew with an ack inside the section', () => {
      const filtering: Section = source$ =>
        source$.pipe(
          filterValues(letter => letter !== 'x'),
          service,
        );
      expect(openedAt('ABCDxEFGH', {}, filtering)).toBeUndefined();
      expect(openedAt('ABCDExFGH', {}, filtering)).toBe(4);
    });

    it('takes what becomes of an output later for nothing', () => {
      // What fails is acked here, as a dead letter is; a batch that fails is acked with all its members.
      const inBatches: Section<readonly string[]> = source$ =>
        source$.pipe(batch<string>({ count: 3 }), mapValues(throwOnCapital));
      expect(openedAt('ABCDEFGHI|', { failures: 3 }, inBatches)).toBe(8);
      const oneByOne: Section = source$ => source$.pipe(each(letter$ => letter$.pipe(map(throwOnCapital))));
      expect(openedAt('ABCDE|', {}, oneByOne)).toBe(4);
    });

    it('takes an ack for nothing that belongs to a count that is over', () => {
      let late: Delivery<string> | undefined;
      const section: Section = source$ =>
        source$.pipe(
          takeOut('x', delivery => (late = delivery)),
          takeOut('y', delivery => {
            late?.[settlement].ack();
            delivery[settlement].nack();
          }),
          service,
        );
      // x goes in after A, and b ends that count; x is acked when C has begun another.
      expect(openedAt('AxbCyDE|', { failures: 3 }, section)).toBe(6);
    });

    it('neither counts nor resets by what is malformed, unless it is told to count it', () => {
      expect(openedAt('MMMMMM')).toBeUndefined();
      expect(openedAt('ABMCMDME')).toBe(7);
      expect(openedAt('MMMMMM', { counts: () => true })).toBe(4);
      expect(openedAt('ABCDE', { counts: ({ tag }) => tag === 'expired' })).toBeUndefined();
    });

    it('lets what failed before the section pass round it, uncounted', () => {
      const meter = new RecordingMeter();
      deliveryTest(({ hot, scheduler, expectDeliveries }) => {
        const source = hot('aFFFb|', { a: 'a', b: 'b', F: givenFailure() });
        expectDeliveries(source.pipe(circuitBreaker(service, { failures: 2, scheduler, meter }))).toBe(
          'aFFFb|',
          {
            ...answers,
            F: failureWith('handle', { stage: 'earlier' }),
          },
        );
      });
      expect(meter.count('stream_circuit_opened_total', { stage: 'circuitBreaker' })).toBe(0);
    });

    it('opens on a share of failures over a sliding time', () => {
      const errorShare = { share: 0.5, windowMs: 100, minimum: 6 };
      expect(openedAt('AbCdE', { errorShare })).toBeUndefined();
      expect(openedAt('AbCdEf', { errorShare })).toBeUndefined();
      expect(openedAt('AbCdEfG', { errorShare })).toBe(6);
      expect(openedAt('abcdefghAbBcC', { errorShare })).toBeUndefined();
      // What is more than 100 ms ago does not count.
      expect(openedAt('aaaaaaaaa 200ms AbCdEF', { errorShare })).toBe(214);
      expect(openedAt('AbCdE 200ms F', { errorShare })).toBeUndefined();
    });

    it('errors where it cannot be told what counts', () => {
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
        const error = new Error('cannot say');
        const counts = (): boolean => {
          throw error;
        };
        const out = hot('-a-B-c', letters).pipe(circuitBreaker(service, { counts, scheduler }));
        expectDeliveries(out).toBe('-a-#', answers, error);
        expectSettled({ acked: '-a', takenBack: 'B' });
      });
    });
  });

  describe('open', () => {
    it('lets nothing in; who waits keeps the order', () => {
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
        const out = hot('AB-c-d-e---|', letters).pipe(
          circuitBreaker(service, { failures: 2, coolDownMs: 20, demand: 1, scheduler }),
        );
        expectDeliveries(out).toBe('AB-------------------(cde|)', answers);
        expectSettled({ acked: '21ms (cde)', nacked: 'AB' });
      });
    });

    it('lets what is in the section go on to its end, uncounted', () => {
      const meter = new RecordingMeter();
      deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
        const options = { failures: 2, coolDownMs: 8, scheduler, meter };
        const out = hot('ABCDE-f----g', letters).pipe(circuitBreaker(slowService(4, scheduler), options));
        // Open at 5, half-open at 13: f alone goes in, out at 17, then g.
        expectDeliveries(out).toBe('----ABCDE--------f---g', answers);
        at(12, () => expect(meter.read('stream_circuit_state', { stage: 'circuitBreaker' })).toBe(2));
        at(13, () => expect(meter.read('stream_circuit_state', { stage: 'circuitBreaker' })).toBe(1));
        expectSettled({ acked: '-----------------f---g', nacked: '----ABCDE' });
      });
      expect(meter.count('stream_circuit_opened_total', { stage: 'circuitBreaker' })).toBe(1);
    });

    it('fails each at once if told to', () => {
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
        const options = { failures: 2, coolDownMs: 10, whenOpen: 'fail', scheduler } as const;
        const guarded = circuitBreaker(slowService(2, scheduler), options);
        // Open at 3, half-open at 13: e goes in, and f finds the place taken.
        const out = hot('AB--c-d-------ef-g', letters).pipe(guarded);
        expectDeliveries(out).toBe('--ABc-d--------fe--g', {
          ...answers,
          c: refused,
          d: refused,
          f: refused,
        });
        expectSettled({ acked: '----------------e--g', nacked: '--ABc-d--------f' });
      });
    });

    it('drops who was taken back while it waited', () => {
      deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
        at(5, () => ledger.takeBack('c'));
        const out = hot('AB-c-d|', letters).pipe(
          circuitBreaker(service, { failures: 2, coolDownMs: 10, scheduler }),
        );
        expectDeliveries(out).toBe('AB---------(d|)', answers);
        expectSettled({ acked: '-----------d', nacked: 'AB', takenBack: 'c' });
      });
    });

    it('says how many wait, and forgets them when it is unsubscribed from', () => {
      const meter = new RecordingMeter();
      const waiting = (): number | undefined => meter.read('stream_buffered', { stage: 'guard' });
      deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
        const out = hot('AB-cdef', letters).pipe(
          circuitBreaker(service, { failures: 2, scheduler, meter, name: 'guard' }),
        );
        at(6, () => expect(waiting()).toBe(4));
        at(9, () => {
          expect(waiting()).toBeUndefined();
          expect(meter.read('stream_circuit_state', { stage: 'guard' })).toBeUndefined();
          expect(scheduler.actions.filter(action => !action.closed)).toEqual([]);
        });
        expectDeliveries(out, { subscription: '^-------!' }).toBe('AB', answers);
        expectSettled({ nacked: 'AB', takenBack: 'cdef' });
      });
    });

    it('passes the error of the source', () => {
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
        const out = hot('AB-c-#', letters).pipe(circuitBreaker(service, { failures: 2, scheduler }));
        expectDeliveries(out).toBe('AB---#', answers);
        expectSettled({ nacked: 'AB', takenBack: 'c' });
      });
    });

    it('is over when the section is', () => {
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSubscriptions, expectSettled }) => {
        const source = hot('Ab-c-d', letters);
        const once: Section = stage('once', subscriber => ({
          next: (delivery: Delivery<string>) => {
            subscriber.next(delivery);
            if (delivery.ok) subscriber.complete();
          },
        }));
        const section: Section = source$ => source$.pipe(service, once);
        expectDeliveries(
          source.pipe(circuitBreaker(section, { failures: 1, coolDownMs: 10, scheduler })),
        ).toBe('A---------(b|)', answers);
        expectSubscriptions(source).toBe('^---------!');
        expectSettled({ acked: '----------b', nacked: 'A', takenBack: 'cd' });
      });
    });
  });

  it('shows in drawings what it guards', () => {
    const chain$ = EMPTY.pipe(
      mapValues((letter: string) => letter),
      circuitBreaker(
        fanOut((letter: string) => [letter]),
        { name: 'guard' },
      ),
      filterValues(() => true),
    );
    expect(stagesOf(chain$)).toEqual(['mapValues', 'guard', 'fanOut', 'filterValues']);
  });

  it.each([
    [{ failures: 0 }, 'circuitBreaker.failures is 0, must be a whole number from 1'],
    [{ coolDownMs: 0 }, 'circuitBreaker.coolDownMs is 0, must be a number from 1'],
    [{ maxCoolDownMs: 10 }, 'circuitBreaker.maxCoolDownMs is 10, must be a number from 30000'],
    [{ demand: 0.5 }, 'circuitBreaker.demand is 0.5, must be a whole number from 1'],
    [{ successes: 0 }, 'circuitBreaker.successes is 0'],
    [{ errorShare: { share: 2, windowMs: 1, minimum: 1 } }, 'circuitBreaker.errorShare.share is 2'],
    [{ errorShare: { share: 1, windowMs: 0, minimum: 1 } }, 'circuitBreaker.errorShare.windowMs is 0'],
    [{ errorShare: { share: 1, windowMs: 1, minimum: 0 } }, 'circuitBreaker.errorShare.minimum is 0'],
  ])('refuses %j when it is made', (options, problem) => {
    expect(() => circuitBreaker(service, options)).toThrow(OptionError);
    expect(() => circuitBreaker(service, options)).toThrow(problem);
  });
});
