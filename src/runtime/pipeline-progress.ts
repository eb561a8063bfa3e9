import type { TopicPartition } from '../bus/event-bus.ts';
import type { Message } from '../core/message.ts';
import { PartitionMap } from './partition-map.ts';

interface PartitionProgress extends TopicPartition {
  /** One past the last delivered offset. */
  delivered: number;
  /** Everything before it is settled. */
  settled: number;
  /** The first that is not; of no meaning where all is settled. */
  oldest: Message;
}

/** How far a pipeline has come in each of its source partitions. */
export class PipelineProgress {
  readonly #partitions = new PartitionMap<PartitionProgress>();
  /** Event time of the newest message, ms. */
  eventTime: number | undefined;

  /** A message is about to be delivered. */
  see(message: Message): void {
    const { topic, partition, offset, timestamp } = message;
    const progress = this.#partitions.get(topic, partition);
    if (progress === undefined) {
      this.#partitions.set(topic, partition, {
        topic,
        partition,
        delivered: offset + 1,
        settled: offset,
        oldest: message,
      });
    } else if (offset >= progress.delivered) {
      if (progress.settled === progress.delivered) progress.oldest = message;
      progress.delivered = offset + 1;
    }
    if (this.eventTime === undefined || timestamp > this.eventTime) this.eventTime = timestamp;
  }

  /** @param oldest the first message that is not settled, where there is one */
  settled(topic: string, partition: number, upTo: number, oldest: Message | undefined): void {
    const progress = this.#partitions.get(topic, partition);
    if (progress === undefined) return;
    progress.settled = upTo;
    if (oldest) progress.oldest = oldest;
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

  /** The same, of these partitions. */
  inFlightOf(places: readonly TopicPartition[]): number {
    return places.reduce((sum, { topic, partition }) => {
      const { delivered = 0, settled = 0 } = this.#partitions.get(topic, partition) ?? {};
      return sum + Math.max(0, delivered - settled);
    }, 0);
  }

  /** Up to where, exclusive, a partition is settled; 0 where nothing has come of it. */
  settledOf({ topic, partition }: TopicPartition): number {
    return this.#partitions.get(topic, partition)?.settled ?? 0;
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

  /** Of the messages that are not settled the one with the oldest event time. */
  get oldest(): Message | undefined {
    let first: Message | undefined;
    for (const { delivered, settled, oldest } of this.#partitions.values()) {
      if (settled >= delivered) continue;
      if (first === undefined || oldest.timestamp < first.timestamp) first = oldest;
    }
    return first;
  }
}
