import { setImmediate } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  type DriverReader,
  type FetchWish,
  type FetchedPartition as Fetched,
  OffsetOutOfRange,
} from '../../../../src/bus/kafka/driver.ts';
import type { ConsumingOptions } from '../../../../src/bus/kafka/kafka-options.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { FetchLoops } from '../../../../src/bus/kafka/consuming/fetch-loops.ts';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';
import { BusError } from '../../../../src/core/publisher.ts';

interface Asked {
  readonly node: number;
  readonly wishes: readonly FetchWish[];
  readonly maxWaitMs: number;
  readonly answer: (answers: readonly Fetched[]) => Promise<void>;
  readonly refuse: (error: Error) => Promise<void>;
}

/** Loops over partitions of topic `t` and a reader that answers when it is told to. */
class Bench {
  readonly time = new VirtualTimeScheduler();
  readonly partitions: FetchedPartition[] = [];
  readonly asked: Asked[] = [];
  readonly told: unknown[] = [];
  refreshes = 0;
  deliveries = 0;
  leaders: (number | undefined)[];
  readonly loops: FetchLoops;

  constructor(leaders: (number | undefined)[], consuming: ConsumingOptions = {}) {
    this.leaders = leaders;
    const tracking = {
      scheduler: this.time,
      released: (): void => undefined,
      redeliverable: (): void => undefined,
      advanced: (): void => undefined,
    };
    leaders.forEach((_, partition) => {
      this.partitions.push(new FetchedPartition(tracking, { topic: 't', partition }, 0, Infinity));
    });
    const reader: DriverReader = {
      refresh: () => {
        this.refreshes++;
        return Promise.resolve();
      },
      leaderOf: ({ partition }) => this.leaders[partition],
      fetch: (node, wishes, maxWaitMs) => this.#fetch(node, wishes, maxWaitMs),
      close: () => Promise.resolve(),
    };
    const host = {
      scheduler: this.time,
      partitions: this.partitions,
      fetched: (): void => {
        if (++this.deliveries > 1000) throw new Error('it does not rest');
        this.loops.delivered();
      },
      outOfRange: (partition: FetchedPartition): Promise<void> => {
        partition.position = 50;
        return Promise.resolve();
      },
      failing: (error: BusError | undefined): void => void this.told.push(error?.code),
      failed: (error: unknown): void => void this.told.push(error),
    };
    this.loops = new FetchLoops(reader, host, settled({ brokers: ['b:1'], consuming }).consuming);
  }

  async pass(ms: number): Promise<void> {
    this.time.maxFrames = this.time.now() + ms;
    this.time.schedule(() => undefined, ms);
    this.time.flush();
    await setImmediate();
  }

  /** One record of so many bytes in a partition, from where it is read. */
  records(partition: number, bytes = 10): Fetched {
    const offset = this.partitions[partition]?.position ?? 0;
    const record = { offset, timestamp: 0, key: null, value: Buffer.alloc(bytes), headers: [] };
    return {
      topic: 't',
      partition,
      records: [record],
      nextOffset: offset + 1,
      end: offset + 1,
      undecided: 0,
    };
  }

  #fetch(node: number, wishes: readonly FetchWish[], maxWaitMs: number): Promise<readonly Fetched[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Fetched[]>();
    this.asked.push({
      node,
      wishes,
      maxWaitMs,
      answer: async answers => {
        resolve(answers);
        await setImmediate();
      },
      refuse: async error => {
        reject(error);
        await setImmediate();
      },
    });
    return promise;
  }
}

const placesOf = ({ wishes }: Asked): string[] =>
  wishes.map(({ partition, offset }) => `${partition}@${offset}`);

describe('FetchLoops', () => {
  it('ask each node for the partitions that it leads, one request at a time', async () => {
    const bench = new Bench([1, 2, 1]);
    bench.loops.look();
    expect(bench.asked.map(({ node }) => node)).toEqual([1, 2]);
    expect(bench.asked.map(placesOf)).toEqual([['0@0', '2@0'], ['1@0']]);
    await bench.asked[0]?.answer([bench.records(2)]);
    expect(bench.asked).toHaveLength(3);
    expect(placesOf(bench.asked[2]!)).toEqual(['0@0', '2@1']);
  });

  it('deliver what came while the next request is under way', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    const before = bench.deliveries;
    await bench.asked[0]?.answer([bench.records(0)]);
    expect(bench.deliveries).toBe(before + 1);
    expect(bench.asked).toHaveLength(2);
  });

  it('do not ask for a partition that is full, wait less while another is, and wait for room when all are', async () => {
    const bench = new Bench([1, 1], { fetchBytes: 1000 });
    bench.loops.look();
    await bench.asked[0]?.answer([bench.records(0, 1000)]);
    expect(placesOf(bench.asked[1]!)).toEqual(['1@0']);
    expect(bench.asked[1]?.maxWaitMs).toBeLessThan(bench.asked[0]!.maxWaitMs);
    await bench.asked[1]?.answer([bench.records(1, 1000)]);
    expect(bench.asked).toHaveLength(2);
    expect(bench.partitions[0]?.next(100)).toBeDefined();
    bench.loops.delivered();
    await setImmediate();
    expect(placesOf(bench.asked[2]!)).toEqual(['0@1']);
  });

  it('rest where nobody has room, whoever was woken', async () => {
    const bench = new Bench([1, 2, 3], { fetchBytes: 1000 });
    bench.loops.look();
    for (const [partition, { answer }] of [...bench.asked].entries()) {
      await answer([bench.records(partition, 1000)]);
    }
    expect(bench.deliveries).toBe(3);
    bench.loops.delivered();
    await setImmediate();
    expect(bench.deliveries).toBe(3);
  });

  it('drop what comes for a partition that was given up, or is read from elsewhere by now', async () => {
    const bench = new Bench([1, 1]);
    bench.loops.look();
    const answers = [bench.records(0), bench.records(1)];
    bench.partitions[1]!.position = 70;
    bench.partitions.shift();
    await bench.asked[0]?.answer(answers);
    expect(bench.partitions[0]?.lag).toBe(0);
    expect(placesOf(bench.asked[1]!)).toEqual(['1@70']);
  });

  it('tell what may pass, learn anew who leads, and go on there', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    await bench.asked[0]?.refuse(new BusError('unavailable', 'away'));
    expect(bench.told).toEqual(['unavailable']);
    bench.leaders = [2];
    for (let step = 0; step < 3; step++) await bench.pass(200);
    expect(bench.refreshes).toBe(1);
    expect(bench.asked.at(-1)?.node).toBe(2);
    await bench.asked.at(-1)?.answer([bench.records(0)]);
    expect(bench.told.at(-1)).toBeUndefined();
  });

  it('ask who leads a partition that nobody is known to lead', async () => {
    const bench = new Bench([undefined]);
    bench.loops.look();
    expect(bench.asked).toEqual([]);
    bench.leaders = [3];
    for (let step = 0; step < 2; step++) await bench.pass(200);
    expect(bench.asked.map(({ node }) => node)).toEqual([3]);
  });

  it('go on where there is something, when the offset is gone', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    await bench.asked[0]?.refuse(new OffsetOutOfRange({ topic: 't', partition: 0 }));
    expect(placesOf(bench.asked[1]!)).toEqual(['0@50']);
    expect(bench.told).toEqual([]);
  });

  // Kills: all that is unread skipped, of a partition that came back while it was answered where it was not.
  it('leave alone what is read elsewhere by the time that an offset is said to be gone', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    const [partition] = bench.partitions;
    if (partition) partition.position = 7;
    await bench.asked[0]?.refuse(new OffsetOutOfRange({ topic: 't', partition: 0 }));
    expect(placesOf(bench.asked[1]!)).toEqual(['0@7']);
  });

  it('end with what never passes', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    const forbidden = new BusError('unauthorized', 'no');
    await bench.asked[0]?.refuse(forbidden);
    expect(bench.told).toEqual([forbidden]);
  });

  it('are over when they are closed', async () => {
    const bench = new Bench([1]);
    bench.loops.look();
    const closed = bench.loops.close();
    await bench.asked[0]?.answer([bench.records(0)]);
    await closed;
    expect(bench.asked).toHaveLength(1);
    expect(bench.partitions[0]?.lag).toBe(0);
  });
});
