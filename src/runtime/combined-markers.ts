import { type OperatorFunction, filter, map } from 'rxjs';
import { type Delivery, ok, settlement } from '../core/delivery.ts';
import { type Marker, markerMessage, markerOf } from '../core/marker.ts';
import { MessageHeaders } from '../core/headers.ts';
import type { Bytes, Message } from '../core/message.ts';
import { PartitionMap } from './partition-map.ts';
import { MergedMarks } from './merged-marks.ts';

/**
 * What several writers of a topic say of how far they have come becomes one marker that speaks for all of them; what
 * changes nothing for all of them is acked. Markers that speak for everybody pass as they are.
 *
 * @param take takes a marker of a partition: up to where all have come, where that is further than before
 */
export function combinedMarkers(
  take: (message: Message, marker: Marker, isAgain: boolean) => Marker | undefined,
): OperatorFunction<Delivery<Bytes>, Delivery<Bytes>> {
  return source$ =>
    source$.pipe(
      map(delivery => {
        const { message } = delivery;
        if (message.payload !== null) return delivery;
        const marker = markerOf(message);
        if (marker === undefined) return delivery;
        const duty = delivery[settlement];
        const combined = take(message, marker, duty.attempt > 1);
        if (marker.parts === undefined) return delivery;
        if (combined !== undefined) return ok<Bytes>(null, speakingForAll(message, combined), duty);
        duty.ack();
        return undefined;
      }),
      filter(delivery => delivery !== undefined),
    );
}

/** As `combinedMarkers`, for a reader that begins at the beginning each time. */
export function markersCombinedAnew(): OperatorFunction<Delivery<Bytes>, Delivery<Bytes>> {
  const marks = new PartitionMap<MergedMarks>();
  return combinedMarkers(({ topic, partition }, marker, isAgain) => {
    const known = marks.get(topic, partition) ?? new MergedMarks();
    marks.set(topic, partition, known);
    return known.take(marker) || isAgain ? known.merged : undefined;
  });
}

function speakingForAll(message: Message, marker: Marker): Message {
  const { headers = MessageHeaders.empty } = markerMessage(message.topic, message.partition, marker);
  return { ...message, headers, timestamp: marker.time };
}
