import { VirtualTimeScheduler } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { BusCondition } from '../../../src/bus/bus-condition.ts';
import type { TrackerHost } from '../../../src/bus/partition-tracker.ts';
import type { DriverReader } from '../../../src/bus/kafka/driver.ts';
import { FetchedPartition } from '../../../src/bus/kafka/fetched-partition.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { PartitionReading } from '../../../src/bus/kafka/partition-reading.ts';
import { BusError } from '../../../src/core/publisher.ts';
import { passTime } from '../../passing-time.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

const tracking = (scheduler: VirtualTimeScheduler): TrackerHost => ({
  scheduler,
  released: () => undefined,
  redeliverable: () => undefined,
  advanced: () => undefined,
});

/** Reading through a reader that is refused with these, one after the other, when it asks who leads. */
function readingOf(...refusals: BusError[]): { readonly reading: PartitionReading; readonly log: string[] } {
  const scheduler = new VirtualTimeScheduler();
  const log: string[] = [];
  const reader: DriverReader = {
    refresh: topics => {
      log.push(`who leads ${topics.join()}`);
      const refusal = refusals.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve();
    },
    leaderOf: () => undefined,
    fetch: () => Promise.resolve([]),
    close: () => Promise.resolve(void log.push('closed')),
  };
  const host = {
    driver: { openReader: () => Promise.resolve(reader), endDecided: () => Promise.resolve([]) },
    condition: new BusCondition(),
    scheduler,
    consuming: settled({ brokers: ['b:1'] }).consuming,
    stallMs: 1000,
  };
  const fetching = {
    scheduler,
    partitions: [],
    fetched: () => undefined,
    outOfRange: () => Promise.resolve(),
    failing: () => undefined,
    failed: () => undefined,
  };
  return { reading: new PartitionReading(host, ['t'], fetching), log };
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
  const scheduler = new VirtualTimeScheduler();
  const partition = new FetchedPartition(tracking(scheduler), { topic: 't', partition: 0 }, 0, Infinity);
  const readers: PromiseWithResolvers<DriverReader>[] = [];
  const condition = new BusCondition();
  const failures: string[] = [];
  const reading = new PartitionReading(
    {
      driver: {
        openReader: () => {
          const opening = Promise.withResolvers<DriverReader>();
          readers.push(opening);
          return opening.promise;
        },
        endDecided: () => Promise.resolve([]),
      },
      condition,
      scheduler,
      consuming: settled({ brokers: ['b:1'] }).consuming,
      stallMs: 1000,
    },
    ['t'],
    {
      scheduler,
      partitions: [partition],
      fetched: () => undefined,
      outOfRange: () => Promise.resolve(),
      failing: error => error && failures.push(error.message),
      failed: () => undefined,
    },
  );
  const closed: number[] = [];
  /** A reader that is never answered. */
  const open = async (nr: number): Promise<void> => {
    readers[nr]?.resolve({
      refresh: () => Promise.resolve(),
      leaderOf: () => 1,
      fetch: () => new Promise(() => undefined),
      close: () => Promise.resolve(void closed.push(nr)),
    });
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };

  const opened = reading.open();
  await open(0);
  await opened;
  await passTime(scheduler, 1500, 50);
  expect(readers).toHaveLength(2);
  await passTime(scheduler, 1500, 50);
  expect(failures).toEqual(['opening connections: not done within 1000 ms']);
  expect(readers).toHaveLength(3);
  await open(2);
  // The one that nobody waits for any more.
  await open(1);
  expect(closed).toEqual([0, 1]);
});

it('has ended what a transaction holds up for long that was decided, and says what cannot be', async () => {
  const scheduler = new VirtualTimeScheduler();
  const partition = new FetchedPartition(tracking(scheduler), { topic: 't', partition: 0 }, 0, Infinity);
  partition.take({ topic: 't', partition: 0, records: [], nextOffset: 0, end: 0, undecided: 1 });
  const condition = new BusCondition();
  const answers = [
    () => Promise.reject(new BusError('unauthorized', 'grant Alter')),
    () => Promise.resolve([true]),
  ];
  const asked: number[] = [];
  const reader = {
    refresh: () => Promise.resolve(),
    leaderOf: () => undefined,
    fetch: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
  const reading = new PartitionReading(
    {
      driver: {
        openReader: () => Promise.resolve(reader),
        endDecided: () => {
          asked.push(scheduler.now());
          return answers[Math.min(asked.length, 3) - 2]?.() ?? Promise.resolve([]);
        },
      },
      condition,
      scheduler,
      consuming: settled({ brokers: ['b:1'] }).consuming,
      stallMs: 1000,
    },
    ['t'],
    {
      scheduler,
      partitions: [partition],
      fetched: () => undefined,
      outOfRange: () => Promise.resolve(),
      failing: () => undefined,
      failed: () => undefined,
    },
  );
  const errors = (): string =>
    condition
      .health({ running: true, activeTopics: 1, activeConsumers: 1, connectedBrokers: 1, problems: [] })
      .errors.join();
  await reading.open();
  await passTime(scheduler, 1_100, 3);
  expect(asked.map(ms => Math.round(ms / 250))).toEqual([3, 4]);
  await passTime(scheduler, 200, 3);
  expect(errors()).toMatch(
    /it has been undecided whether what was written from offset 0 on counts \(grant Alter\)/,
  );
  expect(errors()).toContain('t[0]: brokers had left a transaction open that was committed: ended it');
  await reading.close();
});
