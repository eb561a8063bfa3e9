import { VirtualTimeScheduler } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { BusCondition } from '../../../src/bus/bus-condition.ts';
import type { DriverReader } from '../../../src/bus/kafka/driver.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { PartitionReading } from '../../../src/bus/kafka/partition-reading.ts';
import { BusError } from '../../../src/core/publisher.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

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
    driver: { openReader: () => Promise.resolve(reader) },
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
