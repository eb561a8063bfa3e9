import { type Observable, delay, filter, map, mergeMap, of, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { mapValues } from '../../operators/map-values.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import {
  DeliveryTestError,
  deliveryTest,
  failureWith,
  given,
  givenRawMarker,
} from '../../src/testing/index.ts';

describe('deliveryTest', () => {
  it('compares values deeply and failures by the fields that are named', () => {
    deliveryTest(({ hot, expectDeliveries, expectSubscriptions, expectSettled }) => {
      const source = hot('--a--F--b--|', { a: { n: 1 }, b: { n: 2 } });
      const out = source.pipe(
        mapValues(({ n }) => {
          if (n === 2) throw new Error('no twos');
          return [n];
        }),
      );
      expectDeliveries(out).toBe('--a--F--G--|', {
        a: [1],
        F: failureWith('handle', { stage: 'earlier' }),
        G: failureWith('handle', { stage: 'mapValues', reason: 'no twos', firstAt: 8 }),
      });
      expectSubscriptions(source).toBe('^----------!');
      expectSettled({ acked: '--a', nacked: '-----F--b' });
    });
  });

  it('fails on other values, other times, and another failure', () => {
    const expecting = (marbles: string, values: Record<string, unknown>) => (): void =>
      deliveryTest(({ hot, expectDeliveries }) => {
        expectDeliveries(hot('-a-F|', { a: 1 })).toBe(marbles, values);
      });
    expect(expecting('-a-F|', { a: 1, F: failureWith('handle') })).not.toThrow();
    expect(expecting('-a-F|', { a: 2, F: failureWith('handle') })).toThrow();
    expect(expecting('--aF|', { a: 1, F: failureWith('handle') })).toThrow();
    expect(expecting('-a-F|', { a: 1, F: failureWith('decode') })).toThrow(/decode/);
    expect(expecting('-a-F|', { a: 1, F: failureWith('handle', { attempts: 2 }) })).toThrow();
    expect(expecting('-a--|', { a: 1 })).toThrow();
  });

  it('fails by itself when a chain loses deliveries, and names them', () => {
    const lossy = (): void =>
      deliveryTest(({ hot, expectDeliveries }) => {
        const odd = hot('-a-b-c|', { a: 1, b: 2, c: 4 }).pipe(filter(d => d.ok && d.value === 1));
        expectDeliveries(odd).toBe('-a----|', { a: 1 });
      });
    expect(lossy).toThrow(/unsettled at the end: bc, expected none/);
  });

  it('fails by itself when a delivery is settled twice, even if that is swallowed', () => {
    const hasty = (chain: Observable<Delivery<string>>): Observable<Delivery<string>> =>
      chain.pipe(
        map(delivery => {
          delivery[settlement].ack();
          return delivery;
        }),
      );
    const swallow = (delivery: Delivery<string>): void => {
      try {
        delivery[settlement].ack();
      } catch {
        // What the test is about.
      }
    };
    expect(() =>
      deliveryTest(({ hot, expectDeliveries }) => {
        expectDeliveries(hasty(hot('-a-|')), { settle: swallow }).toBe('-a-|');
      }),
    ).toThrow(new DeliveryTestError('settled twice', 'a', ''));
  });

  it('fails on settlements at another time, of another kind, or not expected at all', () => {
    const settling =
      (acked: string, nacked = '') =>
      (): void =>
        deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
          expectDeliveries(hot('-a-b-|').pipe(delay(1))).toBe('--a-b|');
          expectSettled({ acked, nacked });
        });
    expect(settling('--a-b')).not.toThrow();
    expect(settling('-a--b')).toThrow(/acked/);
    expect(settling('--a')).toThrow(/acked/);
    expect(settling('--a', '----b')).toThrow();
  });

  it('lets a test leave deliveries in flight if it says so', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      expectDeliveries(hot('-a-b-|'), { settle: 'leave' }).toBe('-a-b-|');
      expectSettled({ inFlight: 'ab' });
    });
  });

  it('takes back what is in flight when the chain unsubscribes', () => {
    deliveryTest(({ cold, expectDeliveries, expectSubscriptions, expectSettled }) => {
      const source = cold('-a-b-c-|');
      expectDeliveries(source.pipe(delay(3)), { subscription: '^-----!' }).toBe('----a--');
      expectSubscriptions(source).toBe('^-----!');
      expectSettled({ acked: '----a', takenBack: 'bc' });
    });
  });

  it('takes back the delivery during which the chain unsubscribes', () => {
    deliveryTest(({ cold, expectDeliveries, expectSettled }) => {
      const source = cold('-a-b-|');
      expectDeliveries(source.pipe(take(1)), { settle: 'leave' }).toBe('-(a|)');
      expectSettled({ takenBack: 'a' });
    });
  });

  it('makes messages with what matters to the test', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot<string | null>('-a-m-|', {
        a: given('x', { key: 'BTC-USD', timestamp: 7, attempt: 3 }),
        m: givenRawMarker(new Marker('time', 9)),
      });
      const told = source.pipe(
        mergeMap(d =>
          of(d.ok ? d.map(() => [d.message.key, d.message.timestamp, d[settlement].attempt]) : d),
        ),
      );
      expectDeliveries(told).toBe('-a-m-|', { a: ['BTC-USD', 7, 3], m: [null, 9, 1] });
    });
  });

  it('refuses a marble without a value', () => {
    expect(() =>
      deliveryTest(({ hot, expectDeliveries }) => {
        expectDeliveries(hot('-a-b|', { a: 1 })).toBe('-a-#', { a: 1 }, new RangeError('x'));
      }),
    ).toThrow(/marble "b" has no value/);
  });
});
