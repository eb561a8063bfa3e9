import { type RecordableHistogram, createHistogram } from 'node:perf_hooks';
import type { Message } from '../core/message.ts';

/**
 * How long messages take from delivery until everything up to them is settled: one message a partition is
 * timed at any moment, so that it costs next to nothing.
 */
export class HandlingTime {
  readonly #histogram: RecordableHistogram = createHistogram();
  readonly #timed = new Map<string, { readonly offset: number; readonly since: number }>();

  delivered({ topic, partition, offset }: Message): void {
    const name = `${topic}/${partition}`;
    if (!this.#timed.has(name)) this.#timed.set(name, { offset, since: performance.now() });
  }

  settled(topic: string, partition: number, upTo: number): void {
    const name = `${topic}/${partition}`;
    const timed = this.#timed.get(name);
    if (timed === undefined || timed.offset >= upTo) return;
    this.#timed.delete(name);
    const microseconds = Math.round((performance.now() - timed.since) * 1000);
    this.#histogram.record(Math.max(1, microseconds));
  }

  revoke(topic: string, partition: number): void {
    this.#timed.delete(`${topic}/${partition}`);
  }

  /** The given percentile, ms; 0 before the first message. */
  percentile(percent: number): number {
    return this.#histogram.count === 0 ? 0 : this.#histogram.percentile(percent) / 1000;
  }

  get count(): number {
    return this.#histogram.count;
  }
}
