import { type Delivery, ok, settlement } from '../core/delivery.ts';
import { type Marker, markerMessage, markerOf } from '../core/marker.ts';
import { MessageHeaders } from '../core/headers.ts';
import type { Bytes, Message } from '../core/message.ts';
import { sourceStage } from '../core/stage.ts';
import { PartitionMap } from './partition-map.ts';
import { MergedMarks } from './merged-marks.ts';

/** Takes a marker of a partition: up to where all have come who write to it, where that is further than before. */
export type TakeMarker = (message: Message, marker: Marker, isAgain: boolean) => Marker | undefined;

/**
 * What several writers of a topic say of how far they have come becomes one marker that speaks for all of them; what
 * changes nothing for all of them is dropped: undefined then. Markers that speak for everybody pass as they are.
 */
export function combinedMarkers(delivery: Delivery<Bytes>, take: TakeMarker): Delivery<Bytes> | undefined {
  const { message } = delivery;
  if (message.payload !== null) return delivery;
  const marker = markerOf(message);
  if (marker === undefined) return delivery;
  const duty = delivery[settlement];
  const combined = take(message, marker, duty.attempt > 1);
  if (marker.parts === undefined) return delivery;
  if (combined !== undefined) return ok<Bytes>(null, speakingForAll(message, combined), duty);
  duty.drop(sourceStage);
  return undefined;
}

/** What takes markers for a reader that begins at the beginning each time. */
export function markersTakenAnew(): TakeMarker {
  const marks = new PartitionMap<MergedMarks>();
  return ({ topic, partition }, marker, isAgain) => {
    const known = marks.get(topic, partition) ?? new MergedMarks();
    marks.set(topic, partition, known);
    return known.take(marker) || isAgain ? known.merged : undefined;
  };
}

function speakingForAll(message: Message, marker: Marker): Message {
  const { headers = MessageHeaders.empty } = markerMessage(message.topic, message.partition, marker);
  return { ...message, headers, timestamp: marker.time };
}
