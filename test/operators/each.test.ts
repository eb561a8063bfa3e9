import {
  EMPTY,
  Observable,
  Subject,
  concat,
  concatMap,
  delay,
  filter,
  map,
  mergeMap,
  of,
  throwError,
  timer,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { each } from '../../operators/each.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { OptionError } from '../../src/core/option.ts';
import {
  RecordingMeter,
  SettlementLedger,
  deliveryTest,
  failureWith,
  given,
  messageOf,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('each', {
  make: () => each((letter$: Observable<string>) => letter$),
  makeThrowing: (_, error) =>
    each<string, string>(() => {
      throw error;
    }),
});

operatorContract('each that errors', {
  make: () => each<string, string>(() => EMPTY),
  makeThrowing: (_, error) => each<string, string>(() => throwError(() => error)),
  expected: {
    one: { out: '-----|' },
    many: { out: '-----------|' },
    failure: { out: '-----F-----|' },
    'source error': { out: '-----#' },
    'never ending': { out: '-' },
    'early unsubscribe': { out: '-' },
    'nacked at the end': { out: '--------|', acked: '--a--b', nacked: '' },
  },
});

const keyed = (value: string, key: string | null): ReturnType<typeof given<string>> => given(value, { key });

describe('each', () => {
  it('acks the delivery with the last of its outputs, at once if there are none', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('-a------b--|', { a: 3, b: 0 });
      const out = source.pipe(
        each(
          n$ =>
            n$.pipe(
              mergeMap(n => Array.from({ length: n }, (_, i) => i)),
              concatMap(i => timer(2).pipe(map(() => i))),
            ),
          { meter },
        ),
      );
      expectDeliveries(out).toBe('---x-y-z---|', { x: 0, y: 1, z: 2 });
      expectSettled({ acked: '-------ab' });
    });
    expect(meter.count('stream_filtered_total', { stage: 'each' })).toBe(1);
  });

  it('makes a failure of an error, beside what came out before, and goes on', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('-a-----b|', { a: given(1, { attempt: 3 }), b: 2 });
      const late = timer(2).pipe(mergeMap(() => throwError(() => new Error('late'))));
      const out = source.pipe(
        each(n$ => n$.pipe(mergeMap(n => (n === 1 ? concat(of(n), late) : of(n)))), {
          scheduler,
          name: 'enrich',
        }),
      );
      expectDeliveries(out).toBe('-a-F---b|', {
        a: 1,
        b: 2,
        F: failureWith('handle', { stage: 'enrich', reason: 'late', attempts: 3, firstAt: 3 }),
      });
      // One of the outputs of `a` is nacked, so it is as a whole, once all are settled.
      expectSettled({ nacked: '---a', acked: '-------b' });
    });
  });

  it('runs messages of one key one after the other, other keys meanwhile', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('abc-------|', { a: keyed('a', 'k'), b: keyed('b', 'k'), c: keyed('c', 'l') });
      expectDeliveries(source.pipe(each(x$ => x$.pipe(delay(4))))).toBe('----a-c-b-|');
      expectSettled({ acked: '----a-c-b' });
    });
  });

  it('runs all at once without order, and messages without a key in any case', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('abc-------|', { a: keyed('a', 'k'), b: keyed('b', 'k'), c: keyed('c', 'k') });
      expectDeliveries(source.pipe(each(x$ => x$.pipe(delay(4)), { order: 'none' }))).toBe('----abc---|');
      expectSettled({ acked: '----abc' });
    });
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('ab--------|', { a: keyed('a', null), b: keyed('b', null) });
      expectDeliveries(source.pipe(each(x$ => x$.pipe(delay(4))))).toBe('----ab----|');
    });
  });

  it('runs no more than its concurrency, keeps the order of keys that wait for a place', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('abcd|', {
        a: keyed('a', 'k'),
        b: keyed('b', 'l'),
        c: keyed('c', 'l'),
        d: keyed('d', 'm'),
      });
      const out = source.pipe(each(x$ => x$.pipe(delay(5)), { concurrency: 1 }));
      expectDeliveries(out).toBe('-----a----b----d----(c|)');
      expectSettled({ acked: '-----a----b----d----c' });
    });
  });

  it('fails with overflow what finds no room to wait, and gauges who waits', () => {
    const meter = new RecordingMeter();
    const waiting = (): number | undefined => meter.read('stream_buffered', { stage: 'each' });
    deliveryTest(({ cold, at, expectDeliveries, expectSettled }) => {
      const out = cold('abc------|').pipe(
        each(x$ => x$.pipe(delay(4)), { concurrency: 1, maxWaiting: 1, meter }),
      );
      expectDeliveries(out).toBe('--F-a---b|', { a: 'a', b: 'b', F: failureWith('overflow', { limit: 1 }) });
      at(3, () => expect(waiting()).toBe(1));
      at(4, () => expect(waiting()).toBe(0));
      at(10, () => expect(waiting()).toBeUndefined());
      expectSettled({ acked: '----a---b', nacked: '--c' });
    });
  });

  it('unsubscribes from inner streams, and aborts their signal, with the delivery', () => {
    const signals: AbortSignal[] = [];
    let unsubscribed = 0;
    deliveryTest(({ cold, expectDeliveries, expectSettled }) => {
      const out = cold('-a-').pipe(
        each((_, { signal }) => {
          signals.push(signal);
          return new Observable<string>(() => () => unsubscribed++);
        }),
      );
      expectDeliveries(out, { subscription: '^--!' }).toBe('---');
      expectSettled({ takenBack: 'a' });
    });
    expect(signals[0]?.aborted).toBe(true);
    expect(unsubscribed).toBe(1);
  });

  it('does not start what was taken back while it waited', () => {
    deliveryTest(({ hot, ledger, at, expectDeliveries, expectSettled }) => {
      const source = hot('abc|', { a: keyed('a', 'k'), b: keyed('b', 'k'), c: keyed('c', 'k') });
      at(3, () => ledger.takeBack('b'));
      expectDeliveries(source.pipe(each(x$ => x$.pipe(delay(5))))).toBe('-----a----(c|)');
      expectSettled({ acked: '-----a----c', takenBack: 'b' });
    });
  });

  it('works off many waiting messages of one key without nesting', () => {
    const ledger = new SettlementLedger(() => 0);
    const source = new Subject<Delivery<number>>();
    const gate = new Subject<number>();
    const seen: number[] = [];
    source
      .pipe(each(n$ => n$.pipe(mergeMap(n => (n === 0 ? gate : of(n)))), { maxWaiting: 50_000 }))
      .subscribe(delivery => {
        if (delivery.ok) seen.push(delivery.value);
        delivery[settlement].ack();
      });
    for (let n = 0; n < 50_000; n++) source.next(ok(n, messageOf(), ledger.open(String(n))));
    gate.next(0);
    gate.complete();
    expect(seen.length).toBe(50_000);
    expect(seen.every((n, i) => n === i)).toBe(true);
    expect(ledger.inFlight).toEqual([]);
  });

  it('leaves plain RxJS its operators', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('-a-b|', { a: 1, b: 2 });
      expectDeliveries(source.pipe(each(n$ => n$.pipe(filter(n => n > 1))))).toBe('---b|', { b: 2 });
      expectSettled({ acked: '-a-b' });
    });
  });

  it('refuses a concurrency or bound out of range when it is made', () => {
    expect(() => each(x$ => x$, { concurrency: 0 })).toThrow(OptionError);
    expect(() => each(x$ => x$, { maxWaiting: -1, name: 'slow' })).toThrow('slow.maxWaiting is -1');
  });
});
