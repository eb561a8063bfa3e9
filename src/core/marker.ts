import { MessageHeaders } from './headers.ts';
import type { Message, OutgoingMessage } from './message.ts';

/**
 * A message that holds only a time: everything of its partition up to and including it has been said.
 * - `time`: more may come, all of it later;
 * - `end`: the feed has ended, nothing is being waited for until something new comes;
 * - `absent`: the feed does not carry this topic at all, so nobody should wait for it. `feed` tells what kind
 *   of feed it was (`bars` is a recording of bars only).
 */
export interface Marker {
  readonly kind: 'time' | 'end' | 'absent';
  /** Event time in ms. */
  readonly time: number;
  readonly feed?: string;
}

const markerHeader = 'marker';
const feedHeader = 'marker-feed';
const timeHeaders = MessageHeaders.of({ [markerHeader]: 'time' });

/** The message that carries a marker to one partition. */
export function markerMessage(topic: string, partition: number, marker: Marker): OutgoingMessage {
  const plain = marker.kind === 'time';
  const entries = { [markerHeader]: marker.kind, ...(marker.feed && { [feedHeader]: marker.feed }) };
  const headers = plain ? timeHeaders : MessageHeaders.of(entries);
  return { topic, key: null, payload: null, headers, timestamp: marker.time, partition };
}

/** The marker that a message carries, or undefined. */
export function markerOf(message: Message): Marker | undefined {
  if (message.payload !== null || message.key !== null) return undefined;
  const kind = message.headers.get(markerHeader);
  if (kind !== 'time' && kind !== 'end' && kind !== 'absent') return undefined;
  const feed = message.headers.get(feedHeader);
  return { kind, time: message.timestamp, ...(feed !== undefined && { feed }) };
}

/** Up to where a marker lets its readers go on: without bound once nothing more is coming. */
export function watermarkOf(marker: Marker): number {
  return marker.kind === 'time' ? marker.time : Number.POSITIVE_INFINITY;
}
