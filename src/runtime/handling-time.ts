import type { Message } from '../core/message.ts';
import { PartitionMap } from './partition-map.ts';
import { TimeBuckets } from './time-buckets.ts';

/**
 * How long messages take from their first delivery until everything up to them is settled: each of them, markers
 * not counted. It keeps two numbers for each that is not settled yet, of which there are at most `maxUncommitted`.
 */
export class HandlingTime {
  readonly buckets: TimeBuckets = new TimeBuckets();
  readonly #partitions = new PartitionMap<Underway>();
  readonly #now: () => number;

  /** @param now a clock that never goes back, ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  delivered({ topic, partition, offset }: Message): void {
    let underway = this.#partitions.get(topic, partition);
    if (underway === undefined) {
      underway = new Underway();
      this.#partitions.set(topic, partition, underway);
    }
    underway.begin(offset, this.#now());
  }

  settled(topic: string, partition: number, upTo: number): void {
    this.#partitions.get(topic, partition)?.end(upTo, this.#now(), this.buckets);
  }

  revoke(topic: string, partition: number): void {
    this.#partitions.delete(topic, partition);
  }
}

/** How much of the front of the lists may be done with before what is behind it moves up. */
const moveAfter = 1024;

/** The messages of one partition that are not settled, and since when. */
class Underway {
  /** What is behind `#end` is left over: to cut the lists short would cost more than all the rest. */
  readonly #offsets: number[] = [];
  readonly #since: number[] = [];
  #first = 0;
  #end = 0;
  #next = 0;

  /** What is delivered again has begun before. */
  begin(offset: number, now: number): void {
    if (offset < this.#next) return;
    this.#next = offset + 1;
    this.#offsets[this.#end] = offset;
    this.#since[this.#end] = now;
    this.#end++;
  }

  end(upTo: number, now: number, buckets: TimeBuckets): void {
    while (this.#first < this.#end && (this.#offsets[this.#first] as number) < upTo) {
      buckets.observe((now - (this.#since[this.#first] as number)) / 1000);
      this.#first++;
    }
    if (this.#first < moveAfter && this.#first < this.#end) return;
    this.#offsets.copyWithin(0, this.#first, this.#end);
    this.#since.copyWithin(0, this.#first, this.#end);
    this.#end -= this.#first;
    this.#first = 0;
  }
}
