import { NEVER, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PartitionLifecycle, TopicPartition } from '../../../../src/bus/event-bus.ts';
import type { Due } from '../../../../src/bus/source-duty.ts';
import type { StoredRecord } from '../../../../src/bus/kafka/driver.ts';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';
import { LeavingPartitions } from '../../../../src/bus/kafka/consuming/leaving-partitions.ts';

const recordOf = (offset: number): StoredRecord => ({
  offset,
  timestamp: 0,
  key: `k${offset}`,
  value: null,
  headers: [],
});

/** Two partitions of two messages each, of which one is out. */
class Source {
  readonly time = new VirtualTimeScheduler();
  readonly partitions = [0, 1].map(
    partition => new FetchedPartition(this, { topic: 't', partition }, 0, Infinity),
  );
  readonly out: Due[] = [];
  readonly leaving: LeavingPartitions;
  done = false;

  constructor(lifecycle?: PartitionLifecycle) {
    this.leaving = new LeavingPartitions(() => this.partitions, lifecycle);
    for (const each of this.partitions) {
      each.take({
        topic: 't',
        partition: each.partition,
        records: [recordOf(0), recordOf(1)],
        nextOffset: 2,
        end: 9,
        undecided: 0,
      });
      this.take(each.partition);
    }
  }

  get scheduler(): VirtualTimeScheduler {
    return this.time;
  }

  released(): void {}
  redeliverable(): void {}
  advanced(): void {
    this.leaving.look();
  }

  take(partition: number): Due | undefined {
    const due = this.partitions[partition]?.next(100);
    if (due) this.out.push(due);
    return due;
  }

  /** Whether it is over, once every promise has settled. */
  async isDone(): Promise<boolean> {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return this.done;
  }

  begin(going: readonly TopicPartition[] | 'any'): void {
    void this.leaving.begin(going, 500).then(() => (this.done = true));
  }
}

const p0 = [{ topic: 't', partition: 0 }];

describe('partitions that are leaving', () => {
  it('take nothing new, and may go when what is in hand of them is settled', async () => {
    const source = new Source();
    source.begin(p0);
    expect(source.take(0)).toBeUndefined();
    expect(source.partitions.map(({ wantsMore }) => wantsMore)).toEqual([false, true]);
    expect(source.take(1)).toBeDefined();
    expect(await source.isDone()).toBe(false);
    source.out[0]?.ack();
    expect(await source.isDone()).toBe(true);
    expect(source.partitions[0]?.settledUpTo).toBe(1);
  });

  it('wait for what is delivered again', async () => {
    const source = new Source();
    source.begin(p0);
    source.out[0]?.nack(100);
    source.time.flush();
    expect(await source.isDone()).toBe(false);
    source.take(0)?.ack();
    expect(await source.isDone()).toBe(true);
  });

  it('are all that are held where it is not known which, those that come meanwhile too', () => {
    const source = new Source();
    source.begin('any');
    const late = new FetchedPartition(source, { topic: 't', partition: 2 }, 0, Infinity);
    source.leaving.mark(late);
    expect([...source.partitions, late].map(({ isLeaving }) => isLeaving)).toEqual([true, true, true]);
  });

  it('hold nobody up where there are none, or they are lost meanwhile', async () => {
    const none = new Source();
    none.begin([]);
    expect(await none.isDone()).toBe(true);
    const lost = new Source();
    lost.begin(p0);
    lost.partitions.splice(0, 1);
    lost.leaving.look();
    expect(await lost.isDone()).toBe(true);
  });

  it('go on where they stay after all', () => {
    const source = new Source();
    source.begin('any');
    source.leaving.end();
    expect(source.take(0)).toBeDefined();
    expect(source.partitions.map(({ wantsMore }) => wantsMore)).toEqual([true, true]);
  });

  it('may go when the lifecycle says so, which is told of them and of the deadline', async () => {
    const may$ = new Subject<undefined>();
    const asked: unknown[] = [];
    const lifecycle: PartitionLifecycle = {
      assigned: () => NEVER,
      revoked: () => undefined,
      leaving: (...args) => {
        asked.push(args);
        return may$;
      },
    };
    const source = new Source(lifecycle);
    source.begin(p0);
    source.out[0]?.ack();
    expect(asked).toEqual([[p0, 500]]);
    expect(await source.isDone()).toBe(false);
    may$.next(undefined);
    expect(await source.isDone()).toBe(true);
  });
});
