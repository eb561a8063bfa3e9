import type { TopicPartition } from '../bus/event-bus.ts';
import type { Message } from '../core/message.ts';
import { PartitionMap } from './partition-map.ts';

interface PartitionProgress extends TopicPartition {
  /** One past the last delivered offset. */
  delivered: number;
  /** Everything before it is settled. */
  settled: number;
  oldestKey: string | null;
}

/** How far a pipeline has come in each of its source partitions. */
export class PipelineProgress {
  readonly #partitions = new PartitionMap<PartitionProgress>();
  /** Event time of the newest message, ms. */
  eventTime: number | undefined;

  /** A message is about to be delivered. */
  see({ topic, partition, offset, key, timestamp }: Message): void {
    const progress = this.#partitions.get(topic, partition);
    if (progress === undefined) {
      this.#partitions.set(topic, partition, {
        topic,
        partition,
        delivered: offset + 1,
        settled: offset,
        oldestKey: key,
      });
    } else if (offset >= progress.delivered) {
      if (progress.settled === progress.delivered) progress.oldestKey = key;
      progress.delivered = offset + 1;
    }
    if (this.eventTime === undefined || timestamp > this.eventTime) this.eventTime = timestamp;
  }

  settled(topic: string, partition: number, upTo: number): void {
    const progress = this.#partitions.get(topic, partition);
    if (progress) progress.settled = upTo;
  }

  revoke({ topic, partition }: TopicPartition): void {
    this.#partitions.delete(topic, partition);
  }

  /** Messages between the settled and the delivered. */
  get inFlight(): number {
    let inFlight = 0;
    for (const { delivered, settled } of this.#partitions.values()) {
      inFlight += Math.max(0, delivered - settled);
    }
    return inFlight;
  }

  /** Up to where, exclusive, each partition is settled; by `topic/partition`. */
  get offsets(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#partitions.entries()].map(([name, { settled }]) => [name, settled]));
  }

  /** Messages that are stored and not settled. */
  lag(ends: (partition: TopicPartition) => number): number {
    let lag = 0;
    for (const progress of this.#partitions.values()) lag += Math.max(0, ends(progress) - progress.settled);
    return lag;
  }

  /** The oldest message that is not settled. */
  get stuckAt(): string | undefined {
    for (const { topic, partition, delivered, settled, oldestKey } of this.#partitions.values()) {
      if (settled < delivered) return `${topic}[${partition}]@${settled} key ${oldestKey ?? 'none'}`;
    }
    return undefined;
  }
}
