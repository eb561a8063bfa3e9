/**
 * Where `decode` passes markers on, functions of values are still given values only, and markers stay in the type of what
 * comes out, until something takes them. Checked by `tsc -p .`.
 */
import { type Observable, map } from 'rxjs';
import { each } from '../../operators/each.ts';
import { fanOut } from '../../operators/fan-out.ts';
import { fence } from '../../operators/fence.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { tapValues } from '../../operators/tap-values.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import type { Marker } from '../../src/core/marker.ts';
import type { Bytes } from '../../src/core/message.ts';

interface Reading {
  readonly celsius: number;
}
interface Hot extends Reading {
  readonly isHot: true;
}
type Stream<A> = Observable<Delivery<A>>;

const celsiusOf = ({ celsius }: Reading): number => celsius;
const isHot = (reading: Reading): reading is Hot => reading.celsius > 30;

export const mapped = (of: Stream<Reading | Marker>): Stream<number | Marker> =>
  of.pipe(
    tapValues(({ celsius }) => celsius.toFixed()),
    filterValues(({ celsius }) => celsius > 0),
    fanOut(reading => [reading, reading]),
    mapValues(({ celsius }) => celsius),
  );

export const byNamedFunctions = (of: Stream<Reading | Marker>): Stream<number | Marker> =>
  of.pipe(filterValues(isHot), mapValues(celsiusOf));

export const narrowed = (of: Stream<Reading | Marker>): Stream<Hot | Marker> => of.pipe(filterValues(isHot));

/** Where no markers were asked for there are none. */
export const withoutMarkers = (of: Stream<Reading>): Stream<number> =>
  of.pipe(filterValues(isHot), mapValues(celsiusOf));

/** Outside a chain the function says what the values are. */
const toCelsius = mapValues((reading: Reading) => reading.celsius);
export const madeBefore = (of: Stream<Reading>): Stream<number> => of.pipe(toCelsius);

export const fenced = (of: Stream<Reading | Marker>): Stream<number | Marker> =>
  of.pipe(fence(each(reading$ => reading$.pipe(map(({ celsius }) => celsius)))));

/** Markers that are not decoded yet have no bytes. */
export const fencedBytes = (of: Stream<Bytes>): Stream<number | null> =>
  of.pipe(fence(mapValues(bytes => bytes?.length ?? 0)));

export const unfenced = (of: Stream<Reading | Marker>): unknown =>
  // @ts-expect-error what runs plain RxJS would be given markers, too
  of.pipe(each(reading$ => reading$.pipe(map(celsiusOf))));

export const mistaken = (of: Stream<Reading | Marker>): unknown =>
  // @ts-expect-error a reading has no Fahrenheit
  of.pipe(mapValues(({ fahrenheit }) => Number(fahrenheit)));

export const forgotten = (of: Stream<Reading | Marker>): Stream<number> =>
  // @ts-expect-error markers are among what comes out
  of.pipe(mapValues(({ celsius }) => celsius));
