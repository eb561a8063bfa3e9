/**
 * What the callbacks of a window are given is known without annotations, checked by `tsc -p .`.
 */
import type { Observable } from 'rxjs';
import * as t from 'io-ts';
import { decode } from '../../operators/decode.ts';
import { tumblingWindow } from '../../operators/tumbling-window.ts';
import { jsonCodec } from '../../src/core/codec.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import type { Marker } from '../../src/core/marker.ts';
import type { Bytes } from '../../src/core/message.ts';
import { jsonState } from '../../src/core/state.ts';
import { topic } from '../../src/core/topic.ts';

interface Reading {
  readonly celsius: number;
}
interface Mean {
  sum: number;
  count: number;
}

const readings = topic(
  'readings',
  jsonCodec<Reading>(t.readonly(t.type({ celsius: t.number })), { name: 'Reading' }),
);
const codec = jsonState<Mean>('1', t.type({ sum: t.number, count: t.number }));

export const ofValues = (source: Observable<Delivery<Bytes>>): Observable<Delivery<number>> =>
  source.pipe(
    decode(readings),
    tumblingWindow(
      {
        open: ({ celsius }) => ({ sum: celsius, count: 1 }),
        add: (window, { celsius }) => {
          window.sum += celsius;
          window.count++;
        },
        close: ({ sum, count }) => sum / count,
      },
      { sizeMs: 60_000, codec, time: ({ celsius }) => celsius, identity: r => String(r.celsius) },
    ),
  );

/** Markers pass between the operators and are no values: only `close` may be given one. */
export const ofValuesAndMarkers = (
  source: Observable<Delivery<Bytes>>,
): Observable<Delivery<Reading | Marker>> =>
  source.pipe(
    decode(readings, { markers: true }),
    tumblingWindow(
      {
        open: ({ celsius }) => ({ sum: celsius, count: 1 }),
        add: (window, { celsius }) => {
          window.sum += celsius;
          window.count++;
        },
        close: (_, __, closedBy) => closedBy,
      },
      { sizeMs: 60_000, codec, time: ({ celsius }) => celsius, completes: ({ celsius }) => celsius > 0 },
    ),
  );

export const ofOtherValues = (source: Observable<Delivery<Bytes>>): unknown =>
  source.pipe(
    decode(readings),
    tumblingWindow(
      {
        // @ts-expect-error a reading has no Fahrenheit
        open: ({ fahrenheit }) => ({ sum: Number(fahrenheit), count: 1 }),
        add: () => undefined,
        close: ({ sum }) => sum,
      },
      { sizeMs: 60_000, codec },
    ),
  );
