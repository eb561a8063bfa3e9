import type { OperatorFunction } from 'rxjs';
import { describe, it } from 'vitest';
import { fanOut } from '../../operators/fan-out.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { tapValues } from '../../operators/tap-values.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { deliveryTest, givenMarker, givenRawMarker } from '../../src/testing/index.ts';

type Values = string | Marker;
type Marked = OperatorFunction<Delivery<Values>, Delivery<Values>>;

const marker = new Marker('time', 9);

/** A function of values that a marker would break. */
const long = (value: string): boolean => value.toUpperCase().length > 1;

const operators: Readonly<Record<string, Marked>> = {
  mapValues: mapValues(value => value.toUpperCase()),
  filterValues: filterValues(value => long(value)),
  tapValues: tapValues(value => void long(value)),
  fanOut: fanOut(value => [value.toUpperCase()]),
};

describe('markers', () => {
  for (const [name, operator] of Object.entries(operators))
    it(`pass ${name}, whose function is given values only`, () => {
      deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
        const source = hot<Values>('-a-m-b|', { a: 'AA', m: givenMarker(marker), b: 'BB' });
        expectDeliveries(source.pipe(operator)).toBe('-a-m-b|', { a: 'AA', m: marker, b: 'BB' });
        expectSettled({ acked: '-a-m-b' });
      });
    });

  it('pass filterValues before they are decoded', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Uint8Array | null>('-a-m|', { a: new Uint8Array(1), m: givenRawMarker(marker) });
      const none = filterValues<Uint8Array | null>(() => false);
      expectDeliveries(source.pipe(none)).toBe('---m|', { m: null });
      expectSettled({ acked: '-a-m' });
    });
  });
});
