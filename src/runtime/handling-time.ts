import { type RecordableHistogram, createHistogram } from 'node:perf_hooks';
import type { Message } from '../core/message.ts';
import { PartitionMap } from './partition-map.ts';

/** One message in so many is timed. */
const sampleEvery = 16;

/**
 * How long messages take from delivery until everything up to them is settled: a sample of them, and one
 * a partition at any moment, so that it costs next to nothing.
 */
export class HandlingTime {
  readonly #histogram: RecordableHistogram = createHistogram();
  readonly #timed = new PartitionMap<{ readonly offset: number; readonly since: number }>();
  #delivered = 0;

  delivered({ topic, partition, offset }: Message): void {
    if (this.#delivered++ % sampleEvery !== 0 || this.#timed.get(topic, partition) !== undefined) return;
    this.#timed.set(topic, partition, { offset, since: performance.now() });
  }

  settled(topic: string, partition: number, upTo: number): void {
    const timed = this.#timed.get(topic, partition);
    if (timed === undefined || timed.offset >= upTo) return;
    this.#timed.delete(topic, partition);
    const microseconds = Math.round((performance.now() - timed.since) * 1000);
    this.#histogram.record(Math.max(1, microseconds));
  }

  revoke(topic: string, partition: number): void {
    this.#timed.delete(topic, partition);
  }

  /** The given percentile, ms; 0 before the first message. */
  percentile(percent: number): number {
    return this.#histogram.count === 0 ? 0 : this.#histogram.percentile(percent) / 1000;
  }

  get count(): number {
    return this.#histogram.count;
  }
}
