import { type Observable, concat, concatMap, map, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { circuitBreaker } from '../../operators/circuit-breaker.ts';
import type { CircuitChange } from '../../operators/circuit.ts';
import { each } from '../../operators/each.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { settlement } from '../../src/core/delivery.ts';
import { historyHeaders } from '../../src/core/message-history.ts';
import { memoryStateStore } from '../../src/core/state.ts';
import { FakePublisher, RecordingMeter, deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import {
  type Section,
  answers,
  letters,
  service,
  slowService,
  takeOut,
  throwOnCapital,
} from './failing-service.ts';

describe('circuitBreaker, half-open', () => {
  it('goes from one to a tenth, a half and all of the demand, and closes', () => {
    const load: number[] = [];
    const changes: CircuitChange[] = [];
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      let inside = 0;
      const count =
        (by: number): Section =>
        source$ =>
          source$.pipe(
            map(delivery => {
              inside += by;
              return delivery;
            }),
          );
      const section: Section = source$ =>
        source$.pipe(
          count(1),
          slowService(10, scheduler),
          count(-1),
          filterValues(letter => letter !== 'b'),
        );
      const guarded = circuitBreaker(section, {
        failures: 1,
        coolDownMs: 140,
        demand: 40,
        successes: 4,
        scheduler,
        onChange: change => changes.push(change),
      });
      expectDeliveries(hot(`A 20ms ${'b'.repeat(100)}`, letters).pipe(guarded)).toBe('10ms A', answers);
      for (const ms of [149, 151, 161, 171, 181, 191]) at(ms, () => load.push(inside));
    });
    // One, a tenth of 40, a half, all of it; then what is left of the 100.
    expect(load).toEqual([0, 1, 4, 20, 75, 0]);
    const stage = 'circuitBreaker';
    expect(changes).toEqual([
      { stage, from: 'closed', to: 'open', reason: '1 failed in a row, the last: down for A', at: 10 },
      { stage, from: 'open', to: 'half-open', reason: 'cooled down for 140 ms', at: 150 },
      { stage, from: 'half-open', to: 'closed', reason: 'succeeded at full load', at: 180 },
    ]);
  });

  it('opens again with a counted failure, each time for twice as long, up to a bound', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const options = { failures: 1, coolDownMs: 10, maxCoolDownMs: 30, demand: 1, successes: 1, scheduler };
      const guarded = circuitBreaker(service, { ...options, meter });
      // 10, 20, 30, 30 ms; closed with g (four steps of one each), and then 10 ms again.
      const out = hot('ABCDdefgHi', letters).pipe(guarded);
      expectDeliveries(out).toBe('A 9ms B 19ms C 29ms D 29ms (defgH) 3ms i', answers);
      expectSettled({ acked: ['90ms (defg)', '100ms i'], nacked: ['A 9ms B 19ms C 29ms D', '90ms H'] });
    });
    expect(meter.count('stream_circuit_opened_total', { stage: 'circuitBreaker' })).toBe(5);
  });

  it('goes on as if nothing had been with what does not count, but lets in the next', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const out = hot('AMMb', letters).pipe(
        circuitBreaker(service, { failures: 1, coolDownMs: 10, scheduler }),
      );
      expectDeliveries(out).toBe('A---------(MMb)', answers);
      expectSettled({ acked: '----------b', nacked: ['A', '----------(MM)'] });
    });
  });

  it('takes an ack inside the section for a success, a nack for nothing', () => {
    const changes: CircuitChange[] = [];
    deliveryTest(({ hot, scheduler, ledger, at }) => {
      const section: Section = source$ =>
        source$.pipe(
          takeOut('x', delivery => delivery[settlement].ack()),
          takeOut('y', delivery => delivery[settlement].nack()),
          service,
        );
      const onChange = (change: CircuitChange): void => void changes.push(change);
      const options = { failures: 1, coolDownMs: 10, demand: 1, successes: 1, scheduler, onChange };
      hot('Ayyyyyyxxx---x', letters)
        .pipe(circuitBreaker(section, options))
        .subscribe(delivery => delivery[settlement].ack());
      at(12, () => expect(changes.map(({ to }) => to)).toEqual(['open', 'half-open']));
      at(13, () => expect(changes.map(({ to }) => to)).toEqual(['open', 'half-open', 'closed']));
      at(20, () => expect(ledger.count('nacked')).toBe(6));
    });
  });

  it('opens again by what is only sent round, which is acked but no success', () => {
    const changes: CircuitChange[] = [];
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const through = { publisher, state: memoryStateStore() };
      const onChange = (change: CircuitChange): void => void changes.push(change);
      const guarded = circuitBreaker(
        retryWithBackoff(throwOnCapital<string>, { retries: 1, through, scheduler }),
        { failures: 2, coolDownMs: 10, scheduler, onChange },
      );
      const back = { headers: { [historyHeaders.retries]: '1' } };
      // A and C have come back for the last time; B is new, and resets nothing.
      const source = hot('ABCD', { A: given('A', back), B: 'B', C: given('C', back), D: 'D' });
      const failure = failureWith('handle', { stage: 'retryWithBackoff' });
      expectDeliveries(source.pipe(guarded)).toBe('A-C', { A: failure, C: failure });
      expectSettled({ acked: '-B----------D', nacked: 'A-C' });
    });
    expect(changes.map(({ to, at }) => `${to} ${at}`)).toEqual([
      'open 2',
      'half-open 12',
      'open 12',
      'half-open 32',
    ]);
  });

  it('gives free the place of who was taken back, when its source is through with that', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const stuck: Section = source$ =>
        source$.pipe(
          takeOut('b', () => undefined),
          service,
        );
      at(20, () => {
        ledger.takeBack('b');
        // One after the other: c is still waiting here, so it is not let in to be taken back there.
        ledger.takeBack('c');
      });
      const out = hot('Abcd|', letters).pipe(
        circuitBreaker(stuck, { failures: 1, coolDownMs: 10, scheduler }),
      );
      expectDeliveries(out).toBe('A 19ms (d|)', answers);
      expectSettled({ acked: '20ms d', nacked: 'A', takenBack: 'bc' });
    });
  });

  it('does not wait for the settlement of what has come out', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section: Section = each((letter$: Observable<string>) => letter$.pipe(map(throwOnCapital)));
      // The batch behind it is full only when four have come through.
      const guarded = circuitBreaker(section, {
        failures: 1,
        coolDownMs: 10,
        demand: 1,
        scheduler,
      });
      const out = hot('Abcde', letters).pipe(guarded, batch<string>({ count: 4 }));
      expectDeliveries(out).toBe('A---------a', {
        A: failureWith('handle'),
        a: ['b', 'c', 'd', 'e'],
      });
      expectSettled({ acked: '10ms (bcde)', nacked: 'A' });
    });
  });

  it('counts nothing that went in before it opened', () => {
    const changes: CircuitChange[] = [];
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const onChange = (change: CircuitChange): void => void changes.push(change);
      // Open from 23 to 28 by A and B; C, which went in while A was counted, and D come out after that.
      const options = { failures: 2, coolDownMs: 5, scheduler, onChange };
      const out = hot('A--B----------D------C', letters).pipe(
        circuitBreaker(slowService(20, scheduler), options),
      );
      expectDeliveries(out).toBe('20ms A--B----------D------C', answers);
      expectSettled({ nacked: '20ms A--B----------D------C' });
    });
    expect(changes.map(({ to }) => to)).toEqual(['open', 'half-open']);
  });

  it('lets in the next when a batch has come out', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const gathering: Section<readonly string[]> = source$ =>
        source$.pipe(batch<string>({ count: 4, timeMs: 5 }, { scheduler }), mapValues(throwOnCapital));
      const options = { failures: 1, coolDownMs: 10, demand: 40, successes: 2, scheduler };
      const out = hot('A-----bcdefghij', letters).pipe(circuitBreaker(gathering, options));
      // Open at 5, half-open at 15: b alone, then four at a time, twice.
      expectDeliveries(out).toBe('5ms A 14ms (xyz)', {
        ...answers,
        x: ['b'],
        y: ['c', 'd', 'e', 'f'],
        z: ['g', 'h', 'i', 'j'],
      });
      expectSettled({ acked: '20ms (bcdefghij)', nacked: '5ms A' });
    });
  });

  it('opens by the failure that comes behind an output of the same delivery', () => {
    const changes: CircuitChange[] = [];
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section: Section = each((letter$: Observable<string>) =>
        letter$.pipe(
          concatMap(letter =>
            concat(
              letter === 'A' ? [] : [letter],
              throwError(() => 'no'),
            ),
          ),
        ),
      );
      const onChange = (change: CircuitChange): void => void changes.push(change);
      const out = hot('Ab', letters).pipe(
        circuitBreaker(section, { failures: 1, coolDownMs: 10, scheduler, onChange }),
      );
      expectDeliveries(out).toBe('A---------(bB)', {
        b: 'b',
        A: failureWith('handle'),
        B: failureWith('handle'),
      });
      expectSettled({ nacked: ['A', '----------b'] });
    });
    expect(changes.map(({ to }) => to)).toEqual(['open', 'half-open', 'open', 'half-open']);
  });

  it('errors where the listener throws', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const error = new Error('cannot listen');
      const onChange = (): void => {
        throw error;
      };
      const out = hot('A-b', letters).pipe(circuitBreaker(service, { failures: 1, onChange, scheduler }));
      expectDeliveries(out).toBe('#', answers, error);
      expectSettled({ takenBack: 'A' });
    });
  });

  it('lets go of who was taken back while thousands wait', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, ledger, at }) => {
      const guarded = circuitBreaker(service, { failures: 1, coolDownMs: 100_000, scheduler, meter });
      hot(`A${'b'.repeat(1000)}${'c'.repeat(1000)}|`, letters)
        .pipe(guarded)
        .subscribe(delivery => delivery[settlement].ack());
      at(1000, () => ledger.takeBack('b'));
      at(2001, () => expect(meter.read('stream_buffered', { stage: 'circuitBreaker' })).toBe(1000));
    });
  });
});
