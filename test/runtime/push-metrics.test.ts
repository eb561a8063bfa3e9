import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SeriesMeter } from '../../src/runtime/series.ts';
import { pushMetrics } from '../../src/runtime/push-metrics.ts';
import { runUntil } from '../worker/run-until.ts';

describe('pushMetrics', () => {
  it('pushes every series in an interval until it is stopped', async () => {
    const scheduler = new VirtualTimeScheduler();
    const meter = new SeriesMeter();
    const counter = meter.counter('stream_publish_total', { pipeline: 'a' });
    meter.gauge('stream_in_flight', () => 4);
    const pushed: unknown[] = [];
    const pushing = pushMetrics(
      () => Promise.resolve(meter.read()),
      (metric, value, tags) => pushed.push([scheduler.now(), metric, value, tags]),
      { intervalMs: 100, scheduler },
    );
    counter.add(2);
    await runUntil(scheduler, 100);
    counter.add();
    await runUntil(scheduler, 200);
    await pushing.stop();
    await runUntil(scheduler, 1000);
    expect(pushed).toEqual([
      [100, 'stream_publish_total', 2, { pipeline: 'a' }],
      [100, 'stream_in_flight', 4, {}],
      [200, 'stream_publish_total', 3, { pipeline: 'a' }],
      [200, 'stream_in_flight', 4, {}],
    ]);
  });

  it('goes on after a callback that threw, and tells of it', async () => {
    const scheduler = new VirtualTimeScheduler();
    const problems: unknown[] = [];
    const error = new Error('no route');
    const pushing = pushMetrics(
      () => Promise.resolve([{ name: 'a', tags: {}, kind: 'gauge', value: 1 }]),
      () => {
        throw error;
      },
      { intervalMs: 100, scheduler, failed: problem => problems.push(problem) },
    );
    await runUntil(scheduler, 100);
    await runUntil(scheduler, 200);
    await pushing.stop();
    expect(problems).toEqual([error, error]);
  });
});
