import { firstValueFrom } from 'rxjs';
import type { PartitionLifecycle, TopicPartition } from '../../event-bus.ts';
import { isSamePartition } from '../../same-partition.ts';
import type { Going } from '../driver.ts';
import type { FetchedPartition } from './fetched-partition.ts';

/** Partitions that others may have soon: nothing new is taken of them, and what is in hand is waited for. */
export class LeavingPartitions {
  readonly #held: () => readonly FetchedPartition[];
  readonly #lifecycle: PartitionLifecycle | undefined;
  #going: Going = [];
  #waiting: (() => void)[] = [];

  constructor(held: () => readonly FetchedPartition[], lifecycle: PartitionLifecycle | undefined) {
    this.#held = held;
    this.#lifecycle = lifecycle;
  }

  /** Settles when they may be given up: whoever asks waits no longer than so many ms. */
  async begin(going: Going, withinMs: number): Promise<void> {
    this.#going = going;
    for (const partition of this.#held()) this.mark(partition);
    const places = this.#leaving.map(({ topic, partition }) => ({ topic, partition }));
    if (places.length === 0) return;
    if (this.#lifecycle?.leaving) {
      await firstValueFrom(this.#lifecycle.leaving(places, withinMs), { defaultValue: undefined });
    } else {
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve);
        this.look();
      });
    }
  }

  /** To be told of partitions that come while others go. */
  mark(partition: FetchedPartition): void {
    partition.isLeaving = this.#isGoing(partition);
  }

  /** Something was settled, or given up. */
  look(): void {
    if (this.#waiting.length === 0 || this.#leaving.some(({ tracker }) => tracker.spread > 0)) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** It is known who has what: what is still held goes on. */
  end(): void {
    this.#going = [];
    for (const partition of this.#held()) partition.isLeaving = false;
    this.look();
  }

  get #leaving(): readonly FetchedPartition[] {
    return this.#held().filter(({ isLeaving }) => isLeaving);
  }

  #isGoing(place: TopicPartition): boolean {
    return this.#going === 'any' || this.#going.some(going => isSamePartition(going, place));
  }
}
