import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { joinAsOf } from '../../operators/index.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { RecordingMeter, SettlementLedger, messageOf } from '../../src/testing/index.ts';

const hour = 3_600_000;

interface Side {
  row(key: string, time: number, value?: string): void;
  mark(time: number): void;
}

/** A join whose both sides the test feeds; `out` holds `key time: row`. */
function join(maxRows?: number): {
  stream: Side;
  table: Side;
  out: string[];
  late: () => number;
  ledger: SettlementLedger;
} {
  const ledger = new SettlementLedger(() => 0);
  const meter = new RecordingMeter();
  const out: string[] = [];
  let offset = 0;
  const side = (name: string): { subject: Subject<Delivery<string | Marker>>; side: Side } => {
    const subject = new Subject<Delivery<string | Marker>>();
    const send = (value: string | Marker, key: string | null, timestamp: number): void => {
      offset++;
      subject.next(ok(value, messageOf({ key, timestamp, offset }), ledger.open(`${name}${offset}`)));
    };
    return {
      subject,
      side: {
        row: (key, time, value = `${key}@${time / hour}`) => send(value, key, time),
        mark: time => send(new Marker('time', time), null, time),
      },
    };
  };
  const [stream, table] = [side('s'), side('t')];
  stream.subject
    .pipe(
      joinAsOf<string, string, string>(table.subject, (value, { row }) => `${value}: ${row ?? 'nothing'}`, {
        name: 'join',
        scope: 'partition',
        tablePartitions: 1,
        meter,
        ...(maxRows !== undefined && { maxRows }),
      }),
    )
    .subscribe(delivery => {
      out.push(delivery.ok ? delivery.value : `failed: ${delivery.failure.reason}`);
      delivery[settlement].ack();
    });
  const late = (): number => meter.count('stream_late_total', { stage: 'join' });
  return { stream: stream.side, table: table.side, out, late, ledger };
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
    const { stream, table, out, ledger } = join(10);
    stream.row('k', 90 * hour, 'k 90');
    for (let h = 0; h <= 100; h++) table.row('k', h * hour);
    table.mark(100 * hour);
    expect(out).toEqual(['k 90: k@90']);
    // Those past what the stream asks for may be held back, the others not.
    expect(ledger.inFlight.length).toBeLessThanOrEqual(10);
  });
});
