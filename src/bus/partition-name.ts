import type { TopicPartition } from './event-bus.ts';

/** How a partition is called in texts and in the ledger. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}[${partition}]`;
}

/** The same, of a place. */
export function placeName({ topic, partition }: TopicPartition): string {
  return partitionName(topic, partition);
}
