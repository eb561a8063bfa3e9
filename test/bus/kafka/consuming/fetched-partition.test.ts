import { VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';

const place = { topic: 't', partition: 0 };
const host = {
  scheduler: new VirtualTimeScheduler(),
  released: (): void => undefined,
  redeliverable: (): void => undefined,
  advanced: (): void => undefined,
};

// A commit of what others sent names every partition again: once past the mark of a transaction, it must not go back.
it('does not fall back behind what was committed when the next message comes', () => {
  const partition = new FetchedPartition(host, place, 0, Infinity);
  partition.take({ ...place, records: [], nextOffset: 3, end: 3, undecided: 0 });
  partition.committed = partition.settledUpTo;
  expect(partition.committed).toBe(3);

  const record = { offset: 3, timestamp: 0, key: 'k', value: Buffer.from('1'), headers: [] };
  partition.take({ ...place, records: [record], nextOffset: 4, end: 4, undecided: 0 });
  expect(partition.settledUpTo).toBe(3);
  expect(partition.next(10)?.message.offset).toBe(3);
  expect(partition.settledUpTo).toBe(3);
});

it('tells for how long a transaction has kept its end where it is', () => {
  const partition = new FetchedPartition(host, place, 0, Infinity);
  const told = (end: number, undecided: number): void =>
    partition.take({ ...place, records: [], nextOffset: end, end, undecided });
  told(3, 2);
  expect([partition.undecidedMs(1_000), partition.undecidedMs(1_500)]).toEqual([0, 500]);
  told(3, 4);
  expect(partition.undecidedMs(1_700)).toBe(700);
  // One has ended, and the next holds it up.
  told(5, 2);
  expect([partition.undecidedMs(2_000), partition.undecidedMs(2_100)]).toEqual([0, 100]);
  told(5, 0);
  expect(partition.undecidedMs(2_200)).toBe(0);
});
