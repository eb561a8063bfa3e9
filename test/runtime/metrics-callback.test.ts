import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MetricsCallback } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { shouting, topics, words } from './words.ts';

afterEach(() => vi.restoreAllMocks());

const started = (metricsCallback: MetricsCallback): Promise<PipelineDriver> =>
  PipelineDriver.start({
    topics,
    pipelines: () => [shouting()],
    runtime: { metricsCallback, metricsIntervalMs: 1_000 },
  });

/** Lets what was asked of the bus be answered. */
const answered = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('metricsCallback', () => {
  it('is told every number with its tags in an interval, and the last ones after a drain', async () => {
    const consumed: unknown[] = [];
    const names = new Set<string>();
    const driver = await started((metric, value, tags) => {
      names.add(metric);
      if (metric === 'stream_consume_total') consumed.push([value, tags]);
    });
    const of = (value: number): unknown => [value, { pipeline: 'shout' }];
    driver.give(words, 'a');
    expect(consumed).toEqual([]);
    driver.runFor(1_000);
    await answered();
    expect(consumed).toEqual([of(1)]);
    driver.give(words, 'b');
    await driver.drain(5_000);
    expect(consumed.at(-1)).toEqual(of(2));
    const told = consumed.length;
    driver.runFor(10_000);
    await answered();
    expect(consumed).toHaveLength(told);
    for (const name of ['stream_publish_total', 'stream_lag_messages', 'stream_handling_seconds_bucket'])
      expect(names).toContain(name);
  });

  it('goes on after it threw, and the process is warned', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    let calls = 0;
    const driver = await started(() => {
      calls++;
      throw new Error('no route');
    });
    for (const times of [1, 2]) {
      driver.runFor(1_000);
      await answered();
      expect(calls).toBe(times);
    }
    expect(warned).toHaveBeenCalledWith('metricsCallback: no route', 'MetricsWarning');
    driver.stop();
  });

  it('ends with the pipelines that are stopped', async () => {
    const told: string[] = [];
    const driver = await started(metric => told.push(metric));
    driver.stop();
    driver.runFor(10_000);
    await answered();
    expect(told).toEqual([]);
  });
});
