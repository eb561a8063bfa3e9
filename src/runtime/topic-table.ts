import { defer, filter, map, tap } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { Bytes } from '../core/message.ts';
import { type Table, tableOf } from '../core/table.ts';
import { addressedTo } from './addressed.ts';
import { combinedMarkers, markersTakenAnew } from './combined-markers.ts';

/**
 * A topic as the table side of a join: all of it, whoever else reads it.
 *
 * @param came told of each of its messages before it is delivered
 */
export function topicTable(
  bus: EventBus,
  topic: string,
  held$: Table<Bytes>['held$'],
  came: () => void,
): Table<Bytes> {
  const rows$ = defer(() => {
    const take = markersTakenAnew();
    return bus.source(topic, { maxInFlight: 4096 }).pipe(
      tap(came),
      map(delivery => addressedTo(undefined, combinedMarkers(delivery, take))),
    );
  }).pipe(filter(delivery => delivery !== undefined));
  return tableOf(rows$, bus.partitionsOf(topic), held$);
}
