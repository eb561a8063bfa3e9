import { Marker, markerMessages } from '../core/marker.ts';
import type { EventBus } from './event-bus.ts';

/**
 * Says to the readers of a topic how far event time has come: a marker in every partition, behind what is there.
 * Windows that end before then close and joins go on, in pipelines whose `decode` has `markers: true`. Needed by
 * who publishes without a feed, for feeds do it by themselves. A value that comes behind it and is not later
 * counts as late.
 *
 * @param marker event time in ms up to and including which all has been said; or a {@link Marker}: one of kind `end`
 *   lets readers wait for nothing
 * @returns once every partition has it. Where one refused, others may have it: the same again does no harm
 * @throws BusError as `publish` does; `invalid-message` for a time that is none
 *
 * @example
 * await publishMarker(bus, prices, Date.parse('2026-01-01T00:02:01Z'));
 * await publishMarker(bus, prices, new Marker('end', Date.parse('2026-01-02')));
 */
export async function publishMarker(
  bus: Pick<EventBus, 'publishBatch' | 'partitionsOf'>,
  topic: { readonly name: string },
  marker: number | Marker,
): Promise<void> {
  const told = typeof marker === 'number' ? new Marker('time', marker) : marker;
  const results = await bus.publishBatch(markerMessages(topic.name, bus, told));
  for (const result of results) if (!result.ok) throw result.error;
}
