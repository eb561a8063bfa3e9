import { MessageHeaders } from './headers.ts';
import { type Message, type MessageId, type OutgoingMessage, messageId } from './message.ts';

/**
 * A message that holds only a time: everything of its partition up to and including it has been said.
 * - `time`: more may come, all of it later;
 * - `end`: the feed has ended, nothing is being waited for until something new comes;
 * - `absent`: the feed does not carry this topic at all, so nobody should wait for it. `feed` tells what kind
 *   of feed it was (`bars` is a recording of bars only).
 */
export class Marker {
  readonly kind: 'time' | 'end' | 'absent';
  /** Event time in ms. */
  readonly time: number;
  readonly feed: string | undefined;

  constructor(kind: Marker['kind'], time: number, feed?: string) {
    this.kind = kind;
    this.time = time;
    this.feed = feed;
  }

  /** Up to where its readers may go on: without bound once nothing more is coming. */
  get watermark(): number {
    return this.kind === 'time' ? this.time : Number.POSITIVE_INFINITY;
  }
}

/** Whether a value is a marker and not data. */
export function isMarker(value: unknown): value is Marker {
  return value instanceof Marker;
}

const markerHeader = 'marker';
const feedHeader = 'marker-feed';
const timeHeaders = MessageHeaders.of({ [markerHeader]: 'time' });

/** The message that carries a marker to one partition. */
export function markerMessage(topic: string, partition: number, marker: Marker): OutgoingMessage {
  const entries = {
    [markerHeader]: marker.kind,
    ...(marker.feed !== undefined && { [feedHeader]: marker.feed }),
  };
  const headers = marker.kind === 'time' ? timeHeaders : MessageHeaders.of(entries);
  return {
    topic,
    key: null,
    payload: null,
    headers,
    timestamp: marker.time,
    partition,
    patient: true,
    id: idOf(partition, marker),
  };
}

/** The second half of the id of markers of the time in hand: one is sent to many partitions. */
let timeInId = { time: Number.NaN, text: '' };

/** The same again in a replay, and without the cost of a hash: markers are many. */
function idOf(partition: number, { kind, time }: Marker): MessageId {
  if (timeInId.time !== time) {
    const text = Math.max(0, Math.floor(time)).toString(16).padStart(16, '0');
    timeInId = { time, text };
  }
  const place = `${kind === 'time' ? 0 : 1}${partition.toString(16)}`.padStart(16, '0');
  return messageId(place + timeInId.text);
}

/** The marker that a message carries, or undefined. */
export function markerOf(message: Message): Marker | undefined {
  if (message.payload !== null || message.key !== null) return undefined;
  const kind = message.headers.get(markerHeader);
  if (kind !== 'time' && kind !== 'end' && kind !== 'absent') return undefined;
  const feed = message.headers.get(feedHeader);
  return new Marker(kind, message.timestamp, feed);
}
