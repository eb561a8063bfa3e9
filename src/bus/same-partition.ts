import type { TopicPartition } from './event-bus.ts';

/** Whether two places are in one partition. */
export function isSamePartition(a: TopicPartition, b: TopicPartition): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}

/** The offset that is told for a partition; undefined where none is. */
export function offsetIn(
  places: readonly (TopicPartition & { readonly offset: number })[],
  wanted: TopicPartition,
): number | undefined {
  return places.find(place => isSamePartition(place, wanted))?.offset;
}
