import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type AsOf, joinAsOf } from '../../operators/index.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { OptionError } from '../../src/core/option.ts';
import { type Table, tableOf } from '../../src/core/table.ts';
import {
  RecordingMeter,
  deliveryTest,
  failureWith,
  given,
  givenMarker,
  messageOf,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

type Value = string | Marker;

const at = (timestamp: number, value: string, key = 'k', partition = 0): ReturnType<typeof given<Value>> =>
  given<Value>(value, { timestamp, key, partition });
const mark = (time: number, kind: Marker['kind'] = 'time', partition = 0): ReturnType<typeof givenMarker> =>
  givenMarker(new Marker(kind, time), { partition });
const pair = (value: string, { row, absent }: AsOf<string>): string =>
  `${value}+${row ?? (absent ? 'absent' : 'none')}`;
const own = { scope: 'partition' } as const;

/** A table that has been said to be absent, so nobody waits for it. */
function absentTable(): Table<Value> {
  return tableOf(new Subject<Delivery<Value>>());
}

operatorContract('joinAsOf that needs no row', {
  make: () => joinAsOf(absentTable(), pair, { ...own, needed: () => false }),
  makeThrowing: (_, error) =>
    joinAsOf<string, string, string>(
      absentTable(),
      () => {
        throw error;
      },
      { ...own, needed: () => false },
    ),
  inputs: { a: at(1, 'a'), b: at(2, 'b'), c: at(3, 'c') },
  outputs: { a: 'a+none', b: 'b+none', c: 'c+none' },
});

operatorContract('joinAsOf whose key function throws', {
  make: () => joinAsOf(absentTable(), pair, { ...own, needed: () => false }),
  makeThrowing: (_, error) =>
    joinAsOf<string, string, string>(absentTable(), pair, {
      ...own,
      key: () => {
        throw error;
      },
    }),
  inputs: { a: at(1, 'a'), b: at(2, 'b'), c: at(3, 'c') },
  outputs: { a: 'a+none', b: 'b+none', c: 'c+none' },
});

describe('joinAsOf', () => {
  it('makes a failure of what the functions of a row throw', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const table = hot<Value>('-x--', { x: at(1, 'x') });
      const rowKey = (): string => {
        throw new Error('no key');
      };
      const out = hot<Value>('----|').pipe(joinAsOf(tableOf(table), pair, { ...own, rowKey }));
      expectDeliveries(out).toBe('-F--|', {
        F: failureWith('handle', { stage: 'joinAsOf', reason: 'no key' }),
      });
      expectSettled({ nacked: '-x' });
    });
  });

  it('waits until the table is past the time, and takes the newest row at or before it', () => {
    deliveryTest(({ hot, expectDeliveries, expectSubscriptions, expectSettled }) => {
      const table = hot<Value>('-x-y-m-z-n', {
        x: at(1, 'x'),
        y: at(3, 'y'),
        z: at(5, 'z'),
        m: mark(2),
        n: mark(9),
      });
      const source = hot<Value>('a--b------|', { a: at(2, 'a'), b: at(4, 'b') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own))).toBe('-----A---B|', {
        A: 'a+x',
        B: 'b+y',
      });
      expectSubscriptions(source).toBe('^---------!');
      expectSubscriptions(table).toBe('^---------!');
      expectSettled({ acked: ['-x-y-(ma)', '-------z-', '---------(nb)'] });
    });
  });

  it('keeps the order of a partition, lets other partitions flow', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const table = hot<Value>('m------n', { m: mark(5, 'time', 1), n: mark(9) });
      const source = hot<Value>('-a-b-c-----|', { a: at(8, 'a'), b: at(1, 'b', 'l'), c: at(2, 'c', 'k', 1) });
      const out = source.pipe(joinAsOf(tableOf(table), pair, own));
      expectDeliveries(out).toBe('-----C-(AB)|', { A: 'a+none', B: 'b+none', C: 'c+none' });
      expectSettled({ acked: ['m----c', '-------(nab)'] });
    });
  });

  it('does not wait for a table that is absent or has ended', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const table = hot<Value>('m', { m: mark(0, 'absent') });
      const source = hot<Value>('-a|', { a: at(8, 'a') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own))).toBe('-A|', { A: 'a+absent' });
    });
    deliveryTest(({ hot, expectDeliveries }) => {
      const table = hot<Value>('(xm)', { x: at(1, 'x'), m: mark(0, 'end') });
      const source = hot<Value>('-a|', { a: at(8, 'a') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own))).toBe('-A|', { A: 'a+x' });
    });
  });

  it('takes a row of exactly the time without waiting where that is the one', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const table = hot<Value>('x--', { x: at(8, 'x') });
      const source = hot<Value>('-a|', { a: at(8, 'a') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, { ...own, exact: true }))).toBe('-A|', {
        A: 'a+x',
      });
    });
  });

  it('waits for every partition of a broadcast table', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const table = hot<Value>('x-m-n', { x: at(1, 'x', 'k', 1), m: mark(9), n: mark(9, 'time', 1) });
      const source = hot<Value>('-a---|', { a: at(8, 'a') });
      const out = source.pipe(joinAsOf(tableOf(table, 2), pair, { scope: 'broadcast' }));
      expectDeliveries(out).toBe('----A|', { A: 'a+x' });
    });
  });

  it('completes after the last that waits, and acks markers of the stream in their turn', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const table = hot<Value>('-----n', { n: mark(9) });
      const source = hot<Value>('am|', { a: at(8, 'a'), m: mark(8) });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own))).toBe('-----(A|)', { A: 'a+none' });
      expectSettled({ acked: ['-----(nam)'] });
    });
  });

  it('passes failures of both sides on at once', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const table = hot<Value>('-F-----');
      const source = hot<Value>('a--F---', { a: at(8, 'a') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own)), { subscription: '^-----!' }).toBe(
        '-F-F--',
        {
          F: failureWith('handle', { stage: 'earlier' }),
        },
      );
      expectSettled({ nacked: '-F-F', takenBack: 'a' });
    });
  });

  it('fails with the table', () => {
    deliveryTest(({ hot, expectDeliveries, expectSubscriptions }) => {
      const table = hot<Value>('--#');
      const source = hot<Value>('a---', { a: at(8, 'a') });
      expectDeliveries(source.pipe(joinAsOf(tableOf(table), pair, own))).toBe('--#');
      expectSubscriptions(source).toBe('^-!');
    });
  });

  it('holds the acks of rows past their bound, and gauges rows and who waits', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, at: when, expectDeliveries, expectSettled }) => {
      const table = hot<Value>('xy---m', { x: at(0, 'x'), y: at(60_000, 'y'), m: mark(200_000) });
      const source = hot<Value>('--a-----|', { a: at(180_000, 'a') });
      const out = source.pipe(joinAsOf(tableOf(table), pair, { ...own, maxRows: 2, keepMs: 1000, meter }));
      expectDeliveries(out).toBe('-----A--|', { A: 'a+y' });
      when(1, () => expect(meter.read('stream_table_rows', { stage: 'joinAsOf' })).toBe(2));
      when(3, () => {
        expect(meter.read('stream_table_rows', { stage: 'joinAsOf' })).toBe(1);
        expect(meter.read('stream_join_waiting', { stage: 'joinAsOf' })).toBe(1);
      });
      expectSettled({ acked: ['x-y--(ma)'] });
    });
  });

  it('emits once where a settled delivery brings the next row of the table', () => {
    const table = new Subject<Delivery<Value>>();
    deliveryTest(({ hot, ledger, expectDeliveries, expectSettled }) => {
      const source = hot<Value>('-a-b|', { a: at(1, 'a'), b: at(2, 'b') });
      const row = (time: number): void =>
        table.next(ok<Value>(new Marker('time', time), messageOf({ timestamp: time }), ledger.open('t')));
      let brought = 0;
      expectDeliveries(
        source.pipe(joinAsOf(tableOf(table), pair, { ...own, exact: false, needed: () => false })),
        {
          settle: delivery => {
            if (brought++ < 4) row(9);
            delivery[settlement].ack();
          },
        },
      ).toBe('-A-B|', { A: 'a+none', B: 'b+none' });
      expectSettled({ acked: ['-(ta)', '---(tb)'] });
    });
  });

  it('refuses bounds out of range when it is made', () => {
    expect(() => tableOf(new Subject<Delivery<Value>>(), 0)).toThrow(OptionError);
    expect(() => joinAsOf(absentTable(), pair, { ...own, maxRows: 0 })).toThrow('joinAsOf.maxRows is 0');
  });
});
