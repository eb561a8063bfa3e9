import { describe, expect, it } from 'vitest';
import { PipelineTotals, type WorkerPage } from '../../src/supervisor/pipeline-totals.ts';

function page(worker: string, pid: number, numbers: Record<string, number>): WorkerPage {
  const lines = Object.entries(numbers).map(([name, value]) => `stream_${name}{pipeline="bars"} ${value}`);
  return { worker, pid, text: ['# TYPE stream_consume_total counter', ...lines, ''].join('\n') };
}

describe('PipelineTotals', () => {
  it('adds up workers, and takes the least watermark', () => {
    const totals = new PipelineTotals().next(
      [
        page('w-1', 1, { running: 1, in_flight: 3, lag_messages: 10, watermark_seconds: 60, dlq_total: 2 }),
        page('w-2', 2, {
          running: 1,
          in_flight: 4,
          lag_messages: 20,
          watermark_seconds: 30,
          circuit_state: 2,
        }),
        page('w-3', 3, { running: 0, dlq_total: 1, retries_total: 7, circuit_state: 0 }),
        page('w-4', 4, { rebalance_duplicates_total: 5 }),
        page('w-5', 5, { rebalance_duplicates_total: 6 }),
      ],
      0,
    );
    const rates = { inPerSecond: 0, outPerSecond: 0 };
    expect(totals).toEqual([
      {
        pipeline: 'bars',
        workers: 2,
        ...rates,
        inFlight: 7,
        lag: 30,
        retried: 7,
        deadLettered: 3,
        repeated: 11,
        openCircuits: 1,
        watermark: 30_000,
      },
    ]);
  });

  it('counts what has come since the last time, of a new process all of it', () => {
    const totals = new PipelineTotals();
    const counted = (consumed: number, published: number): Record<string, number> => {
      return { consume_total: consumed, publish_total: published };
    };
    totals.next([page('w-1', 1, counted(1_000, 100)), page('w-2', 2, counted(5_000, 500))], 10_000);
    const [bars] = totals.next(
      [page('w-1', 1, counted(1_500, 150)), page('w-2', 9, counted(40, 20))],
      15_000,
    );
    expect(bars).toMatchObject({ inPerSecond: 108, outPerSecond: 14 });
  });

  // Kills: all that a worker has ever counted, taken for what came in the seconds since the others were seen.
  it('counts of one that was not seen for a while what has come since then, and of one never seen nothing', () => {
    const totals = new PipelineTotals();
    const consumed = (count: number): Record<string, number> => ({ consume_total: count });
    totals.next([page('w-1', 1, consumed(1_000))], 10_000);
    totals.next([], 15_000);
    const [bars] = totals.next([page('w-1', 1, consumed(2_000)), page('w-2', 2, consumed(70_000))], 20_000);
    expect(bars).toMatchObject({ inPerSecond: 100 });
  });
});
