import type { Delivery } from './delivery.ts';
import { MessageHeaders } from './headers.ts';
import { type Message, type MessageId, type OutgoingMessage, messageId } from './message.ts';
import type { Publisher } from './publisher.ts';

/** Which of several that write to a topic have come so far: by number, of so many. */
export interface MarkerParts {
  readonly covered: readonly number[];
  readonly of: number;
}

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
  /** Whom it speaks for, where that is not everybody who writes to the topic. */
  readonly parts: MarkerParts | undefined;

  constructor(kind: Marker['kind'], time: number, feed?: string, parts?: MarkerParts) {
    this.kind = kind;
    this.time = time;
    this.feed = feed;
    this.parts = parts;
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

/** What of a stream's values is data: functions of values are given these. */
export type DataOf<A> = Exclude<A, Marker>;

/** What of a stream's values are markers: nothing, unless `decode` was asked for them. */
export type MarkersOf<A> = Extract<A, Marker>;

/** Whether a delivery is of a marker, decoded or not. */
export function isMarkerDelivery(delivery: Delivery<unknown>): boolean {
  if (!delivery.ok) return false;
  return isMarker(delivery.value) || (delivery.value === null && markerOf(delivery.message) !== undefined);
}

const markerHeader = 'marker';
const feedHeader = 'marker-feed';
const partsHeader = 'marker-parts';
const timeHeaders = MessageHeaders.of({ [markerHeader]: 'time' });

/** The message that carries a marker to one partition. */
export function markerMessage(topic: string, partition: number, marker: Marker): OutgoingMessage {
  const entries = {
    [markerHeader]: marker.kind,
    ...(marker.feed !== undefined && { [feedHeader]: marker.feed }),
    ...(marker.parts !== undefined && { [partsHeader]: textOf(marker.parts) }),
  };
  const isPlain = marker.kind === 'time' && marker.parts === undefined;
  const headers = isPlain ? timeHeaders : MessageHeaders.of(entries);
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

/** The messages that carry a marker to every partition of a topic. */
export function markerMessages(
  topic: string,
  publisher: Pick<Publisher, 'partitionsOf'>,
  marker: Marker,
): readonly OutgoingMessage[] {
  return Array.from({ length: publisher.partitionsOf(topic) }, (_, partition) =>
    markerMessage(topic, partition, marker),
  );
}

/** The marker that a message carries, or undefined. */
export function markerOf(message: Message): Marker | undefined {
  if (message.payload !== null || message.key !== null) return undefined;
  const kind = message.headers.get(markerHeader);
  if (kind !== 'time' && kind !== 'end' && kind !== 'absent') return undefined;
  const feed = message.headers.get(feedHeader);
  const parts = message.headers.get(partsHeader);
  return new Marker(kind, message.timestamp, feed, parts === undefined ? undefined : partsOf(parts));
}

/** Parts as text: `0-3,7/12`. */
function textOf({ covered, of }: MarkerParts): string {
  const ranges: string[] = [];
  const sorted = covered.toSorted((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i];
    while (sorted[i + 1] === (sorted[i] ?? 0) + 1) i++;
    ranges.push(first === sorted[i] ? `${first}` : `${first}-${sorted[i]}`);
  }
  return `${ranges.join(',')}/${of}`;
}

const partsText = /^(\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*)?\/(\d{1,5})$/;

/** Text that says nothing sensible speaks for nobody. */
function partsOf(text: string): MarkerParts {
  const [, ranges = '', , , , of = '0'] = partsText.exec(text) ?? [];
  const covered = (ranges === '' ? [] : ranges.split(',')).flatMap(range => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from(
      { length: Math.max(0, Math.min(last, Number(of) - 1) - first + 1) || 0 },
      (_, i) => first + i,
    );
  });
  return { covered, of: Number(of) };
}
