import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PipelineStatus } from '../../src/runtime/pipeline-status.ts';
import type { RunningPipeline } from '../../src/runtime/running-pipeline.ts';
import { drainAll, inDataOrder, within } from '../../src/worker/drain.ts';
import { runUntil } from './run-until.ts';

type Drainable = Parameters<typeof drainAll>[0][number];

const topics = (inputs: string[], outputs: string[]) => ({
  topics: { inputs: new Set(inputs), outputs: new Set(outputs) },
});

/** A pipeline that needs so long to drain, and was given so long. */
function draining(name: string, needsMs: number, scheduler: VirtualTimeScheduler) {
  const told = { given: [] as number[], stopped: false };
  const fake: Drainable = {
    pipeline: { name } as RunningPipeline['pipeline'],
    ...topics([], []),
    status: () => ({ inFlight: needsMs > 0 ? 1 : 0 }) as PipelineStatus,
    stop: () => void (told.stopped = true),
    drain: ms => {
      told.given.push(ms);
      return new Promise(resolve => scheduler.schedule(() => resolve(), Math.min(needsMs, ms)));
    },
  };
  return { fake, told };
}

describe('inDataOrder', () => {
  it('puts those first whose outputs others read, whatever the order', () => {
    const bars = topics(['prices'], ['bars']);
    const scores = topics(['bars', 'regime'], ['scores']);
    const regime = topics(['bars'], ['regime']);
    expect(inDataOrder([scores, regime, bars])).toEqual([bars, regime, scores]);
    expect(inDataOrder([bars, scores, regime])).toEqual([bars, regime, scores]);
  });

  it('ends where pipelines feed each other', () => {
    const a = topics(['x'], ['y']);
    const b = topics(['y'], ['x']);
    expect(inDataOrder([a, b])).toHaveLength(2);
  });
});

describe('drainAll', () => {
  it('gives each what is left of the deadline, and names those that needed more', async () => {
    const scheduler = new VirtualTimeScheduler();
    const [a, b, c] = [
      draining('a', 300, scheduler),
      draining('b', 900, scheduler),
      draining('c', 0, scheduler),
    ];
    const unfinished = drainAll([a.fake, b.fake, c.fake], 1_000, scheduler);
    await runUntil(scheduler, 5_000);
    expect(await unfinished).toEqual(['b']);
    expect([a, b, c].map(({ told }) => told.given)).toEqual([[1_000], [700], [0]]);
  });

  it('stops a pipeline whose drain never ends', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { fake, told } = draining('a', 0, scheduler);
    const never: Drainable = { ...fake, drain: () => new Promise(() => undefined) };
    const unfinished = drainAll([never], 1_000, scheduler);
    await runUntil(scheduler, 10_000);
    expect(await unfinished).toEqual(['a']);
    expect(told.stopped).toBe(true);
    expect(scheduler.now()).toBe(3_000);
  });
});

describe('within', () => {
  it('passes a failure on and leaves no timer', async () => {
    const scheduler = new VirtualTimeScheduler();
    await expect(within(Promise.reject(new Error('no')), 100, scheduler)).rejects.toThrow('no');
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
