import { VirtualTimeScheduler } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type { DriverReader } from '../../../../src/bus/kafka/driver.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';
import { PartitionReading, type ReadingHost } from '../../../../src/bus/kafka/consuming/partition-reading.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import { passTime } from '../../../passing-time.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

/** Reading of topic t, in virtual time, with a stall limit of 1000 ms; of its one partition unless it has none. */
class Reading {
  readonly time = new VirtualTimeScheduler();
  readonly condition = new BusCondition();
  readonly failures: string[] = [];
  readonly partition: FetchedPartition;
  readonly reading: PartitionReading;

  constructor(
    driver: Partial<ReadingHost['driver']> & Pick<ReadingHost['driver'], 'openReader'>,
    isEmpty = false,
  ) {
    const scheduler = this.time;
    const nothing = (): undefined => undefined;
    const tracking = { scheduler, released: nothing, redeliverable: nothing, advanced: nothing };
    this.partition = new FetchedPartition(tracking, { topic: 't', partition: 0 }, 0, Infinity);
    this.reading = new PartitionReading(
      {
        driver: { endDecided: () => Promise.resolve([]), ...driver },
        condition: this.condition,
        scheduler,
        consuming: settled({ brokers: ['b:1'] }).consuming,
        stallMs: 1000,
      },
      ['t'],
      {
        scheduler,
        partitions: isEmpty ? [] : [this.partition],
        fetched: nothing,
        outOfRange: () => Promise.resolve(),
        failing: error => error && this.failures.push(error.message),
        failed: nothing,
      },
    );
  }
}

/** What has no leader and nothing to read. */
const idleReader: DriverReader = {
  refresh: () => Promise.resolve(),
  leaderOf: () => undefined,
  fetch: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

/** Reading through a reader that is refused with these, one after the other, when it asks who leads. */
function readingOf(...refusals: BusError[]): { readonly reading: PartitionReading; readonly log: string[] } {
  const log: string[] = [];
  const reader: DriverReader = {
    ...idleReader,
    refresh: topics => {
      log.push(`who leads ${topics.join()}`);
      const refusal = refusals.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve();
    },
    close: () => Promise.resolve(void log.push('closed')),
  };
  const { reading } = new Reading({ openReader: () => Promise.resolve(reader) }, true);
  return { reading, log };
}

it('begins with a topic of which the first brokers that are asked have not heard yet', async () => {
  const unheardOf = new BusError('topic-not-found', 'no topic t');
  const { reading, log } = readingOf(unheardOf, unheardOf);
  await reading.open();
  expect(log).toEqual(['who leads t', 'who leads t', 'who leads t']);
});

it('does not begin where brokers refuse, and leaves no connections behind', async () => {
  const { reading, log } = readingOf(new BusError('unauthorized', 'no'));
  await expect(reading.open()).rejects.toMatchObject({ code: 'unauthorized' });
  expect(log).toEqual(['who leads t', 'closed']);
});

// Kills: a watchdog that waits for ever for the connections with which it wants to begin anew.
it('begins anew once more where opening connections comes to no end', async () => {
  const readers: PromiseWithResolvers<DriverReader>[] = [];
  const { time, failures, reading } = new Reading({
    openReader: () => {
      const opening = Promise.withResolvers<DriverReader>();
      readers.push(opening);
      return opening.promise;
    },
  });
  const closed: number[] = [];
  /** A reader that is never answered. */
  const open = async (nr: number): Promise<void> => {
    readers[nr]?.resolve({
      ...idleReader,
      leaderOf: () => 1,
      fetch: () => new Promise(() => undefined),
      close: () => Promise.resolve(void closed.push(nr)),
    });
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };

  const opened = reading.open();
  await open(0);
  await opened;
  await passTime(time, 1500, 50);
  expect(readers).toHaveLength(2);
  await passTime(time, 1500, 50);
  expect(failures).toEqual(['opening connections: not done within 1000 ms']);
  expect(readers).toHaveLength(3);
  await open(2);
  // The one that nobody waits for any more.
  await open(1);
  expect(closed).toEqual([0, 1]);
});

it('has ended what a transaction holds up for long that was decided, and says what cannot be', async () => {
  const answers = [
    () => Promise.reject(new BusError('unauthorized', 'grant Alter')),
    () => Promise.resolve([true]),
  ];
  const asked: number[] = [];
  const { time, condition, partition, reading } = new Reading({
    openReader: () => Promise.resolve(idleReader),
    endDecided: () => {
      asked.push(time.now());
      return answers[Math.min(asked.length, 3) - 2]?.() ?? Promise.resolve([]);
    },
  });
  partition.take({ topic: 't', partition: 0, records: [], nextOffset: 0, end: 0, undecided: 1 });
  const errors = (): string =>
    condition
      .health({ running: true, activeTopics: 1, activeConsumers: 1, connectedBrokers: 1, problems: [] })
      .errors.join();
  await reading.open();
  await passTime(time, 1_100, 3);
  expect(asked.map(ms => Math.round(ms / 250))).toEqual([3, 4]);
  await passTime(time, 200, 3);
  expect(errors()).toMatch(
    /it has been undecided whether what was written from offset 0 on counts \(grant Alter\)/,
  );
  expect(errors()).toContain('t[0]: brokers had left a transaction open that was committed: ended it');
  await reading.close();
});
