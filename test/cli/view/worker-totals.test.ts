import { describe, expect, it } from 'vitest';
import { jsonTotals, plainTotals } from '../../../src/cli/view/worker-totals.ts';
import { PipelineTotals, type WorkerPage } from '../../../src/supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../../src/supervisor/worker-status.ts';

function report(name: string, rest: Partial<WorkerReport> = {}): WorkerReport {
  return { name, phase: 'ready', restarts: 0, reasons: [], feeds: [], ...rest };
}

/** The page of a worker that runs one pipeline, and a second one or not: another worker may have all of that. */
function page(worker: string, consumed: number, lag: number, watermark: number, both = 1): WorkerPage {
  const bars = { running: 1, consume_total: consumed, publish_total: consumed / 10, in_flight: 3 };
  const lines = [
    ...Object.entries({ ...bars, lag_messages: lag, watermark_seconds: watermark }).map(
      ([name, value]) => `stream_${name}{pipeline="bars"} ${value}`,
    ),
    `stream_running{pipeline="liquidity"} ${both}`,
  ];
  return { worker, pid: 4_711, text: lines.join('\n') };
}

/** Of a worker that has not answered yet, or is gone. */
const silent = (worker: string): WorkerPage => ({ worker, pid: undefined, text: '' });

const [nineThirty, tenToNine] = ['2026-01-14T09:30:00Z', '2026-01-14T08:50:00Z'].map(
  text => Date.parse(text) / 1_000,
) as [number, number];

describe('the lines of workers and their pipelines', () => {
  it('begin with how each worker is, how often it was started again, and the feeds that it runs', () => {
    const workers = [
      report('main-1', { feeds: ['market', 'spot'] }),
      report('main-2', { phase: 'waiting', restarts: 1, reasons: ['it ended by SIGKILL'] }),
      report('main-3', { phase: 'starting' }),
      report('main-4', { restarts: 3, feeds: ['trades'] }),
    ];
    expect(plainTotals(workers, [])).toEqual([
      'main-1 ready (feed market, feed spot), main-2 waiting (1 restart), main-3 starting, main-4 ready (3 restarts, feed trades)',
    ]);
  });

  // Kills: a rate or lag of one worker that stands for all; a worker that counts where it does not run, or does not answer.
  it('give each pipeline what its workers do together, whoever of them does not answer', () => {
    const totals = new PipelineTotals();
    totals.next([page('w-1', 1_000, 0, nineThirty), page('w-2', 500, 0, nineThirty), silent('w-3')], 0);
    const pages = [
      page('w-1', 101_000, 1_200, nineThirty),
      page('w-2', 20_500, 34, tenToNine, 0),
      silent('w-3'),
    ];
    expect(plainTotals([report('w-1')], totals.next(pages, 5_000)).slice(1)).toEqual([
      '  bars       in 24.0k/s  out 2,400/s  in flight 6  lag 1,234  watermark 2026-01-14 08:50:00  on 2',
      '  liquidity  in 0/s  out 0/s  in flight 0  lag 0  watermark -  on 1',
    ]);
  });

  // Kills: the last numbers of a dead worker that stay in the sum.
  it('leave out who has gone, and keep the rate of who stays', () => {
    const totals = new PipelineTotals();
    totals.next([page('w-1', 1_000, 10, nineThirty), page('w-2', 9_000, 5_000, tenToNine)], 0);
    const [, bars] = plainTotals([], totals.next([page('w-1', 1_500, 20, nineThirty), silent('w-2')], 5_000));
    expect(bars).toBe(
      '  bars       in 100/s  out 10/s  in flight 3  lag 20  watermark 2026-01-14 09:30:00  on 1',
    );
  });

  it('are one JSON object where a program reads them, with all that is known of each', () => {
    const workers = [report('main-1', { pid: 4_711, feeds: ['market'] }), report('main-2')];
    const pipelines = new PipelineTotals().next([page('main-1', 10, 1, nineThirty), silent('main-2')], 0);
    const lines = jsonTotals(workers, pipelines);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      workers: [
        { name: 'main-1', phase: 'ready', pid: 4_711, restarts: 0, reasons: [], feeds: ['market'] },
        { name: 'main-2', phase: 'ready', restarts: 0, reasons: [], feeds: [] },
      ],
      pipelines: [
        {
          pipeline: 'bars',
          workers: 1,
          inPerSecond: 0,
          outPerSecond: 0,
          inFlight: 3,
          lag: 1,
          retried: 0,
          repeated: 0,
          deadLettered: 0,
          openCircuits: 0,
          watermark: nineThirty * 1_000,
        },
        expect.objectContaining({ pipeline: 'liquidity', workers: 1 }),
      ],
    });
  });
});
