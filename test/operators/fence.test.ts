import { type OperatorFunction, delay, mergeMap, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { each } from '../../operators/each.ts';
import { fence } from '../../operators/fence.ts';
import { filterValues } from '../../operators/filter-values.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { RecordingMeter, deliveryTest, givenMarker, givenRawMarker } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const marker = new Marker('time', 9);

/** Lets each letter take as many ms as the table says. */
function slowly(
  table: Readonly<Record<string, number>>,
): OperatorFunction<Delivery<string | Marker>, Delivery<string | Marker>> {
  return each(value$ =>
    value$.pipe(
      mergeMap(value => of(value).pipe(delay(typeof value === 'string' ? (table[value] ?? 0) : 0))),
    ),
  );
}

/** A meter, and what it says waits in the fence at that moment. */
function metered(): { readonly meter: RecordingMeter; readonly waiting: () => number | undefined } {
  const meter = new RecordingMeter();
  return { meter, waiting: () => meter.read('stream_buffered', { stage: 'fence' }) };
}

operatorContract('fence', { make: () => fence<string, string>(source$ => source$) });

describe('fence', () => {
  it('gauges the markers that wait', () => {
    const { meter, waiting } = metered();
    const seen: (number | undefined)[] = [];
    deliveryTest(({ hot, at, scheduler, expectDeliveries }) => {
      const source = hot<string | Marker>('-a-m-n 20ms |', {
        a: 'a',
        m: givenMarker(marker),
        n: givenMarker(marker),
      });
      const chain = source.pipe(fence(slowly({ a: 10 }), { scheduler, meter }));
      for (const frame of [2, 4, 6, 12]) at(frame, () => seen.push(waiting()));
      expectDeliveries(chain).toBe('-----------(amn) 10ms |', { a: 'a', m: marker, n: marker });
    });
    expect(seen).toEqual([0, 1, 2, 0]);
  });

  it('lets a marker wait for what came before it, and for nothing that came after it', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot<string | Marker>('-a-b-m-c 20ms |', {
        a: 'a',
        b: 'b',
        c: 'c',
        m: givenMarker(marker),
      });
      const chain = source.pipe(fence(slowly({ a: 2, b: 12, c: 3 }), { scheduler }));
      expectDeliveries(chain).toBe('---a------c----(bm) 9ms |', { a: 'a', b: 'b', c: 'c', m: marker });
      expectSettled({ acked: '---a------c----(bm)' });
    });
  });

  it('passes a marker on at once where nothing is before it, undecoded too', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<string | null>('-a-m-|', { a: 'a', m: givenRawMarker(marker) });
      expectDeliveries(source.pipe(fence(source$ => source$))).toBe('-a-m-|', { a: 'a', m: null });
      expectSettled({ acked: '-a-m' });
    });
  });

  it('counts what is settled inside as gone', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<string | Marker>('-a-m-|', { a: 'a', m: givenMarker(marker) });
      const chain = source.pipe(fence(filterValues(value => value !== 'a')));
      expectDeliveries(chain).toBe('---m-|', { m: marker });
      expectSettled({ acked: '-a-m' });
    });
  });

  it('does not let a marker of one partition wait for another', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const m = givenMarker(marker, { partition: 1 });
      const source = hot<string | Marker>('-a-m 20ms |', { a: 'a', m });
      const chain = source.pipe(fence(slowly({ a: 9 }), { scheduler }));
      expectDeliveries(chain).toBe('---m------a 13ms |', { a: 'a', m: marker });
      expectSettled({ acked: '---m------a' });
    });
  });

  it('forgets markers that wait when it is unsubscribed from', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot<string | Marker>('-a-m 20ms |', { a: 'a', m: givenMarker(marker) });
      const chain = source.pipe(fence(slowly({ a: 9 }), { scheduler }));
      expectDeliveries(chain, { subscription: '^----!' }).toBe('-');
      expectSettled({ takenBack: 'am' });
    });
  });
});
