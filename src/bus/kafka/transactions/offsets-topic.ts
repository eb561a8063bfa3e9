import type { TopicPartition } from '../../event-bus.ts';

/** Where brokers keep what groups have committed. */
export const offsetsTopic = '__consumer_offsets';

/** The partition of it that has a group's: by Java's `String.hashCode`, as brokers choose it. */
export function offsetsPlaceOf(group: string, partitions: number): TopicPartition {
  let hash = 0;
  for (let i = 0; i < group.length; i++) hash = (Math.imul(hash, 31) + group.charCodeAt(i)) | 0;
  // Java's smallest integer has no absolute value.
  const positive = hash === -(2 ** 31) ? 0 : Math.abs(hash);
  return { topic: offsetsTopic, partition: positive % partitions };
}
