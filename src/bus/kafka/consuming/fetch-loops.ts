import type { SchedulerLike } from 'rxjs';
import { BusError } from '../../../core/publisher.ts';
import { isSamePartition } from '../../same-partition.ts';
import { type DriverReader, type FetchWish, OffsetOutOfRange } from '../driver.ts';
import type { ConsumingOptions } from '../kafka-options.ts';
import { mayPass } from '../protocol-errors.ts';
import type { FetchedPartition } from './fetched-partition.ts';

/** What the loops need of their source. */
export interface FetchHost {
  readonly scheduler: SchedulerLike;
  readonly partitions: readonly FetchedPartition[];
  /** Something new may be delivered. */
  fetched(): void;
  /** Where to go on in a partition that no longer holds the offset that was asked for. */
  outOfRange(partition: FetchedPartition): Promise<void>;
  /** Reading fails, and is tried again; undefined: it works. */
  failing(error: BusError | undefined): void;
  /** Reading has failed for good. */
  failed(error: unknown): void;
}

const pauseMs = 200;
/** How long a broker waits while partitions that are full now may soon have room. */
const shortWaitMs = 20;

/** Reads the partitions of a source: one loop a node, each asking for what has room here. */
export class FetchLoops {
  readonly #reader: DriverReader;
  readonly #host: FetchHost;
  readonly #options: Required<ConsumingOptions>;
  readonly #running = new Map<number, Promise<void>>();
  #wake = Promise.withResolvers<undefined>();
  #refreshing: Promise<void> | undefined;
  #closed = false;
  /** Whether there was an answer that nobody has been told of. */
  #isUndelivered = false;
  /** Loops that wait for room. */
  #waiting = 0;

  constructor(reader: DriverReader, host: FetchHost, options: Required<ConsumingOptions>) {
    this.#reader = reader;
    this.#host = host;
    this.#options = options;
  }

  /** Something was delivered: there may be room again. */
  delivered(): void {
    if (this.#waiting === 0) return;
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers();
  }

  /** Partitions have come. */
  look(): void {
    if (this.#closed) return;
    this.delivered();
    for (const partition of this.#host.partitions) {
      const node = this.#reader.leaderOf(partition);
      if (node === undefined) this.#refresh();
      else if (!this.#running.has(node)) {
        const loop = this.#loop(node).finally(() => this.#running.delete(node));
        this.#running.set(node, loop);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.resolve(undefined);
    await Promise.all(this.#running.values());
  }

  async #loop(node: number): Promise<void> {
    while (!this.#closed) {
      const mine = this.#host.partitions.filter(partition => this.#reader.leaderOf(partition) === node);
      if (mine.length === 0) {
        this.#deliver();
        return;
      }
      const wishes = this.#wishes(node);
      if (wishes.length === 0) {
        this.#deliver();
        // That may have made room.
        if (this.#wishes(node).length === 0) await this.#room();
      } else {
        await this.#fetch(node, wishes, mine.length > wishes.length ? shortWaitMs : this.#options.maxWaitMs);
      }
    }
  }

  /** Once for each answer: it wakes loops that wait, and two that woke each other would never rest. */
  #deliver(): void {
    if (!this.#isUndelivered) return;
    this.#isUndelivered = false;
    this.#host.fetched();
  }

  async #room(): Promise<void> {
    this.#waiting++;
    await this.#wake.promise;
    this.#waiting--;
  }

  /** The partitions that have room for more. */
  hungry(): readonly FetchedPartition[] {
    const { fetchBytes, bufferBytes } = this.#options;
    const { partitions } = this.#host;
    const isFull = partitions.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0) >= bufferBytes;
    return partitions.filter(partition => {
      const isHungry = !isFull && partition.wantsMore && partition.bufferedBytes < fetchBytes;
      if (!isHungry) partition.answered();
      return isHungry;
    });
  }

  #wishes(node: number): FetchWish[] {
    return this.hungry()
      .filter(partition => this.#reader.leaderOf(partition) === node)
      .map(({ topic, partition, position }) => ({
        topic,
        partition,
        offset: position,
        maxBytes: this.#options.fetchBytes,
      }));
  }

  async #fetch(node: number, wishes: readonly FetchWish[], maxWaitMs: number): Promise<void> {
    try {
      const answer = this.#reader.fetch(node, wishes, maxWaitMs);
      // What came last is delivered while the broker is at work.
      this.#deliver();
      const answers = await answer;
      if (this.#closed) return;
      for (const answer of answers) {
        const wish = wishes.find(each => isSamePartition(each, answer));
        // A partition that was given up meanwhile, or begun anew elsewhere, is asked for again.
        const partition = this.#host.partitions.find(
          each => isSamePartition(answer, each) && each.position === wish?.offset,
        );
        partition?.take(answer);
      }
      this.#isUndelivered = true;
      this.#host.failing(undefined);
    } catch (error) {
      await this.#recover(error, wishes);
    }
  }

  async #recover(error: unknown, wishes: readonly FetchWish[]): Promise<void> {
    if (this.#closed) return;
    const problem = error instanceof OffsetOutOfRange ? await this.#moved(error, wishes) : error;
    if (problem === undefined) return;
    if (!mayPass(problem)) {
      this.#host.failed(problem);
      return;
    }
    this.#host.failing(problem);
    await this.#pause();
    this.#refresh();
    await this.#refreshing;
  }

  /** Has a partition go on where there is something; what made that fail, if anything did. */
  async #moved({ place }: OffsetOutOfRange, wishes: readonly FetchWish[]): Promise<unknown> {
    try {
      const wish = wishes.find(each => isSamePartition(each, place));
      // One that was given up meanwhile, and has come again, is asked for where it is now.
      const partition = this.#host.partitions.find(
        each => isSamePartition(each, place) && each.position === wish?.offset,
      );
      if (partition !== undefined) await this.#host.outOfRange(partition);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Asks who leads what; then whoever has no loop gets one. */
  #refresh(): void {
    if (this.#refreshing !== undefined || this.#closed) return;
    const topics = [...new Set(this.#host.partitions.map(({ topic }) => topic))];
    this.#refreshing = this.#reader
      .refresh(topics)
      .catch((error: unknown) => {
        if (error instanceof BusError) this.#host.failing(error);
      })
      .then(() => this.#pause())
      .then(() => {
        this.#refreshing = undefined;
        this.look();
      });
  }

  #pause(): Promise<void> {
    return new Promise(resolve => {
      this.#host.scheduler.schedule(() => resolve(), pauseMs);
    });
  }
}
