import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { BusHealth } from '../../src/bus/health.ts';
import type { PipelineStatus } from '../../src/runtime/pipeline-status.ts';
import { Readiness } from '../../src/worker/readiness.ts';
import { runUntil } from './run-until.ts';

const status: PipelineStatus = {
  name: 'bars',
  phase: 'running',
  consumed: 0,
  published: 0,
  deadLettered: 0,
  leftOut: 0,
  retried: 0,
  inFlight: 0,
  lag: 0,
  watermark: undefined,
  eventTime: undefined,
  restarts: 0,
  problem: undefined,
  stuckAt: undefined,
  circuits: new Map(),
  circuitOpenings: 0,
  snapshots: 0,
  keys: new Map(),
};

const healthWith = (...errors: string[]): BusHealth => ({
  healthy: errors.length === 0,
  status: 'running',
  errors,
  metrics: {
    connectedBrokers: 1,
    activeTopics: 0,
    activeConsumers: 0,
    producerLatencyMs: 0,
    consumerLatencyMs: 0,
  },
});

function judging(more: Partial<PipelineStatus> = {}, ...errors: string[]) {
  const scheduler = new VirtualTimeScheduler();
  const now = { status: { ...status, ...more } };
  const readiness = new Readiness({
    bus: { health: () => Promise.resolve(healthWith(...errors)) },
    runtime: { status: () => Promise.resolve([now.status]) },
    scheduler,
    stuckAfterMs: 1_000,
  });
  readiness.phase = 'running';
  const reasons = async (): Promise<readonly string[]> => (await readiness.report()).reasons;
  return { scheduler, now, readiness, reasons };
}

async function pass(scheduler: VirtualTimeScheduler, ms: number): Promise<void> {
  const until = scheduler.now() + ms;
  scheduler.schedule(() => undefined, ms);
  await runUntil(scheduler, until);
}

describe('Readiness', () => {
  it('is ready while pipelines run and the bus is well', async () => {
    const { readiness } = judging();
    expect(await readiness.report()).toMatchObject({ ready: true, reasons: [] });
  });

  it('is not ready while the worker starts or drains', async () => {
    const { readiness, reasons } = judging();
    readiness.phase = 'starting';
    expect(await readiness.report()).toMatchObject({ ready: false, reasons: ['the worker is starting'] });
    readiness.phase = 'draining';
    expect(await reasons()).toEqual(['the worker is draining']);
  });

  it.each([
    [{ phase: 'restarting', problem: 'no broker' }, 'pipeline bars is restarting: no broker'],
    [{ phase: 'starting' }, 'pipeline bars is starting'],
    [{ problem: 'snapshot: disk full' }, 'pipeline bars: snapshot: disk full'],
  ] as const)('is not ready with %o', async (more, reason) => {
    expect(await judging(more).reasons()).toEqual([reason]);
  });

  it('is not ready while the bus is not well or cannot be asked', async () => {
    expect(await judging({}, 'no connection').reasons()).toEqual(['bus: no connection']);
    const readiness = new Readiness({
      bus: { health: () => Promise.resolve(healthWith()) },
      runtime: { status: () => Promise.reject(new Error('not started')) },
      scheduler: new VirtualTimeScheduler(),
    });
    readiness.phase = 'running';
    expect((await readiness.report()).reasons).toEqual(['bus: not started']);
  });

  it('is not ready once a pipeline is stuck at one message for too long', async () => {
    const { scheduler, now, reasons } = judging({ stuckAt: 'prices[0]@7 key BTC' });
    expect(await reasons()).toEqual([]);
    await pass(scheduler, 999);
    expect(await reasons()).toEqual([]);
    await pass(scheduler, 1);
    expect(await reasons()).toEqual(['pipeline bars is stuck at prices[0]@7 key BTC for 1 s']);
    now.status = { ...status, stuckAt: 'prices[0]@8 key BTC' };
    expect(await reasons()).toEqual([]);
    now.status = status;
    expect(await reasons()).toEqual([]);
    await pass(scheduler, 5_000);
    now.status = { ...status, stuckAt: 'prices[0]@8 key BTC' };
    expect(await reasons()).toEqual([]);
  });
});
