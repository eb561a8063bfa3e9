import { Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { joinAsOf } from '../../operators/index.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { tableOf } from '../../src/core/table.ts';
import { RecordingMeter, SettlementLedger, messageOf } from '../../src/testing/index.ts';

const hour = 3_600_000;

interface Side {
  row(key: string, time: number, value?: string, partition?: number): void;
  mark(time: number, partition?: number): void;
}

interface Joined {
  readonly stream: Side;
  readonly table: Side;
  /** `key time: row` */
  readonly out: string[];
  readonly late: () => number;
  /** How many rows are kept. */
  readonly rows: () => number;
  /** How often the table was read, from its beginning each time. */
  readonly reads: () => number;
  /** These partitions of the stream are here from now on. */
  readonly held: (...partitions: number[]) => void;
  readonly ledger: SettlementLedger;
}

interface Of {
  readonly scope?: 'partition' | 'broadcast';
  readonly maxRows?: number;
  readonly partitions?: number;
}

/** A join whose both sides the test feeds; the table is kept, to be read again. */
function join({ scope = 'partition', maxRows, partitions = 1 }: Of = {}): Joined {
  const ledger = new SettlementLedger(() => 0);
  const meter = new RecordingMeter();
  const out: string[] = [];
  let offset = 0;
  let reads = 0;
  type Sent = readonly [value: string | Marker, key: string | null, timestamp: number, partition: number];
  const side = (send: (...sent: Sent) => void): Side => ({
    row: (key, time, value = `${key}@${time / hour}`, partition = 0) => send(value, key, time, partition),
    mark: (time, partition = 0) => send(new Marker('time', time), null, time, partition),
  });
  const delivery = (name: string, [value, key, timestamp, partition]: Sent): Delivery<string | Marker> => {
    offset++;
    const message = messageOf({ key, timestamp, offset, partition });
    return ok(value, message, ledger.open(`${name}${offset}`));
  };
  const kept: Sent[] = [];
  const more = new Subject<Delivery<string | Marker>>();
  const rows$ = new Observable<Delivery<string | Marker>>(subscriber => {
    reads++;
    for (const sent of kept) subscriber.next(delivery('t', sent));
    return more.subscribe(subscriber);
  });
  const held = new Subject<ReadonlySet<number>>();
  const stream = new Subject<Delivery<string | Marker>>();
  stream
    .pipe(
      joinAsOf<string, string, string>(
        tableOf(rows$, partitions, held),
        (value, { row }) => `${value}: ${row ?? 'nothing'}`,
        { name: 'join', scope, meter, ...(maxRows !== undefined && { maxRows }) },
      ),
    )
    .subscribe(joined => {
      out.push(joined.ok ? joined.value : `failed: ${joined.failure.reason}`);
      joined[settlement].ack();
    });
  return {
    stream: side((...sent) => stream.next(delivery('s', sent))),
    table: side((...sent) => {
      kept.push(sent);
      more.next(delivery('t', sent));
    }),
    out,
    late: () => meter.count('stream_late_total', { stage: 'join' }),
    rows: () => meter.read('stream_table_rows', { stage: 'join' }) ?? 0,
    reads: () => reads,
    held: (...numbers) => held.next(new Set(numbers)),
    ledger,
  };
}

describe('the rows of a join', () => {
  it('are kept for a key that lags hours behind another of its partition', () => {
    const { stream, table, out } = join();
    for (let h = 0; h <= 10; h++) {
      table.row('fast', h * hour);
      table.row('slow', h * hour);
    }
    table.mark(10 * hour);
    for (let h = 0; h <= 10; h++) stream.row('fast', h * hour, `fast ${h}`);
    stream.row('slow', 2 * hour, 'slow 2');
    expect(out.at(-1)).toBe('slow 2: slow@2');
  });

  it('are let go behind the markers of the stream; what asks for them once more is late', () => {
    const { stream, table, out, late, ledger } = join();
    for (let h = 0; h <= 10; h++) table.row('k', h * hour);
    table.mark(10 * hour);
    stream.row('k', 2 * hour, 'k 2');
    stream.mark(9 * hour);
    stream.row('k', 2 * hour, 'k 2');
    stream.row('k', 10 * hour, 'k 10');
    expect(out).toEqual(['k 2: k@2', 'k 10: k@10']);
    expect(late()).toBe(1);
    expect(ledger.inFlight).toEqual([]);
  });

  it('hold the first of a time: a later one is a repetition', () => {
    const { stream, table, out } = join();
    table.row('k', hour, 'first');
    table.row('k', hour, 'again');
    table.mark(hour);
    stream.row('k', hour, 'k 1');
    expect(out).toEqual(['k 1: first']);
  });

  it('do not stand still where the table is longer than it may be before the first delivery', () => {
    const { stream, table, out, ledger } = join({ maxRows: 10 });
    stream.row('k', 90 * hour, 'k 90');
    for (let h = 0; h <= 100; h++) table.row('k', h * hour);
    table.mark(100 * hour);
    expect(out).toEqual(['k 90: k@90']);
    // Those past what the stream asks for may be held back, the others not.
    expect(ledger.inFlight.length).toBeLessThanOrEqual(10);
  });

  it('are read again where a partition comes back to before what was let go', () => {
    const { stream, table, out, late, reads, held } = join();
    held(0, 1);
    for (let h = 0; h <= 10; h++) table.row('k', h * hour);
    table.mark(10 * hour);
    stream.row('k', 2 * hour, 'k 2');
    stream.mark(9 * hour);
    held(1);
    expect(reads()).toBe(1);
    held(0, 1);
    expect(reads()).toBe(2);
    for (let h = 2; h <= 3; h++) stream.row('k', h * hour, `again ${h}`);
    expect(out).toEqual(['k 2: k@2', 'again 2: k@2', 'again 3: k@3']);
    expect(late()).toBe(0);
  });

  it('are read again when one is missed, where all partitions had been given up at once', () => {
    for (const scope of ['partition', 'broadcast'] as const) {
      const { stream, table, out, reads, held, ledger } = join({ scope });
      held(0);
      for (let h = 0; h <= 10; h++) table.row('k', h * hour);
      table.mark(10 * hour);
      stream.row('k', 9 * hour, 'k 9');
      stream.mark(9 * hour);
      held();
      held(0);
      stream.row('k', 10 * hour, 'k 10');
      expect(reads()).toBe(1);
      held();
      held(0);
      stream.row('k', 2 * hour, 'k 2');
      expect(reads()).toBe(2);
      expect(out).toEqual(['k 9: k@9', 'k 10: k@10', 'k 2: k@2']);
      expect(ledger.inFlight).toEqual([]);
    }
  });

  it('of a broadcast table wait for a partition that begins behind the others, who do not miss them', () => {
    const { stream, table, out, reads, held } = join({ scope: 'broadcast' });
    held(0);
    for (let h = 0; h <= 10; h++) table.row('all', h * hour);
    table.mark(10 * hour);
    stream.mark(9 * hour);
    held(0, 1);
    stream.row('all', 3 * hour, 'behind 3', 1);
    stream.row('all', 9 * hour, 'ahead 9');
    stream.row('all', 4 * hour, 'behind 4', 1);
    expect(reads()).toBe(2);
    expect(out).toEqual(['behind 3: all@3', 'ahead 9: all@9', 'behind 4: all@4']);
  });

  it('of a broadcast table do not wait for a partition that has gone', () => {
    const { stream, table, rows, held } = join({ scope: 'broadcast' });
    held(0, 1);
    for (let h = 0; h <= 10; h++) table.row('all', h * hour);
    table.mark(10 * hour);
    stream.mark(hour, 1);
    stream.mark(9 * hour);
    expect(rows()).toBe(11);
    held(0);
    stream.mark(10 * hour);
    expect(rows()).toBe(2);
  });

  it('of a table by partition are kept for the partitions that are here, and their bound is for those alone', () => {
    const { stream, table, out, rows, held, ledger } = join({ maxRows: 10 });
    for (let h = 0; h < 20; h++) table.row('other', h * hour, 'another', 1);
    held(0);
    expect(rows()).toBe(0);
    for (let h = 20; h < 40; h++) table.row('other', h * hour, 'another', 1);
    expect(rows()).toBe(0);
    table.row('k', hour);
    table.mark(hour);
    stream.row('k', hour, 'k 1');
    expect(out).toEqual(['k 1: k@1']);
    expect(ledger.inFlight).toEqual([]);
  });

  it('that were let go for the partition itself are not read again: what asks for them fails', () => {
    const { stream, table, out, reads, held } = join({ maxRows: 5 });
    held(0);
    for (let h = 0; h < 5; h++) table.row('k', h * hour);
    table.mark(4 * hour);
    stream.row('k', 4 * hour, 'k 4');
    stream.row('k', hour, 'k 1');
    expect(out).toEqual(['k 4: k@4', 'failed: its row as of 3600000 is no longer kept: raise keepMs']);
    expect(reads()).toBe(1);
  });

  it('waits of a partition that went are forgotten with it', () => {
    const { stream, table, out, held } = join();
    held(0);
    stream.row('k', 2 * hour, 'k 2');
    held();
    held(0);
    table.row('k', hour);
    table.mark(3 * hour);
    expect(out).toEqual([]);
    stream.row('k', 2 * hour, 'again 2');
    expect(out).toEqual(['again 2: k@1']);
  });
});
