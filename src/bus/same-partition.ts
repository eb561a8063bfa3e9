import type { TopicPartition } from './event-bus.ts';

/** Whether two places are in one partition. */
export function isSamePartition(a: TopicPartition, b: TopicPartition): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}
