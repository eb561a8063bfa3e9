import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Health } from '../../src/supervisor/probe.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import type { Ending, WorkerProcess } from '../../src/supervisor/worker-process.ts';
import { silentLogger } from '../../src/worker/logger.ts';
import { runUntil } from '../worker/run-until.ts';

const ready: Health = { answers: true, ready: true, reasons: [] };
const notReady: Health = { answers: true, ready: false, reasons: ['not yet'] };
const silent: Health = { answers: false, ready: false, reasons: ['it does not answer'] };

/** A process that does what the test says. */
class FakeProcess implements WorkerProcess {
  readonly name: string;
  readonly at: number;
  readonly pid: number;
  readonly signals: string[] = [];
  readonly url: Promise<string>;
  readonly #ended = Promise.withResolvers<Ending>();
  readonly ended = this.#ended.promise;
  obeys = true;

  constructor(name: string, at: number, pid: number, serves: boolean) {
    this.name = name;
    this.at = at;
    this.pid = pid;
    this.url = serves ? Promise.resolve(`http://${pid}`) : new Promise(() => undefined);
  }

  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.#ended.resolve({ code, signal });
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.end(null, signal);
    else if (this.obeys) this.end(0);
  }
}

function supervised({ workers = 1, serves = true, stopDeadlineMs = 5_000 } = {}) {
  const scheduler = new VirtualTimeScheduler();
  const launched: FakeProcess[] = [];
  const unready = new Set<string>();
  const hanging = new Set<string>();
  const errors: string[] = [];
  const stop = new AbortController();
  const supervisor = new Supervisor({
    name: 'w',
    workers,
    scheduler,
    logger: { ...silentLogger, error: (_, text) => void errors.push(text) },
    stopDeadlineMs,
    signal: stop.signal,
    launch: name => {
      const process = new FakeProcess(name, scheduler.now(), launched.length + 1, serves);
      launched.push(process);
      return process;
    },
    probe: url => {
      if (hanging.has(url)) return Promise.resolve(silent);
      return Promise.resolve(unready.has(url) ? notReady : ready);
    },
  });
  const last = (): FakeProcess => launched.at(-1)!;
  const phases = (): string[] => supervisor.statuses.map(({ phase }) => phase);
  return {
    supervisor,
    scheduler,
    launched,
    last,
    phases,
    unready,
    hanging,
    errors,
    stop: () => stop.abort(),
    run: supervisor.run(),
  };
}

describe('Supervisor', () => {
  it('ends a worker that has not answered for a minute, and starts it again', async () => {
    const { hanging, launched, scheduler, supervisor, phases } = supervised();
    await runUntil(scheduler, 1_000);
    hanging.add('http://1');
    await runUntil(scheduler, 59_000);
    expect([launched.length, phases()]).toEqual([1, ['not-ready']]);
    hanging.delete('http://1');
    await runUntil(scheduler, 62_000);
    hanging.add('http://1');
    await runUntil(scheduler, 130_000);
    expect(launched.map(({ signals }) => signals)).toEqual([['SIGKILL'], []]);
    expect(supervisor.statuses[0]).toMatchObject({ phase: 'ready', restarts: 1 });
  });

  it('starts the others once the first can serve, under names of their own', async () => {
    const { launched, scheduler, supervisor } = supervised({ workers: 3 });
    expect(launched.map(({ name }) => name)).toEqual(['w-1']);
    await runUntil(scheduler, 1_000);
    expect(launched.map(({ name }) => name)).toEqual(['w-1', 'w-2', 'w-3']);
    expect(supervisor.statuses.map(({ phase, url }) => [phase, url])).toEqual([
      ['ready', 'http://1'],
      ['ready', 'http://2'],
      ['ready', 'http://3'],
    ]);
  });

  it('starts a worker that dies again after 1 s, doubling to 30 s', async () => {
    const { launched, scheduler, last, supervisor } = supervised({ serves: false });
    for (const until of [1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000]) {
      last().end(1);
      await runUntil(scheduler, until);
    }
    expect(launched.map(({ at }) => at)).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000]);
    expect(supervisor.statuses[0]?.restarts).toBe(7);
  });

  it.each([
    [59_000, 4_000],
    [61_000, 1_000],
  ])('waits, for one that was ready for %s ms, %s ms the third time', async (healthyMs, delayMs) => {
    const { scheduler, last, phases } = supervised();
    last().end(1);
    await runUntil(scheduler, 1_000);
    last().end(1);
    await runUntil(scheduler, 3_500);
    expect(phases()).toEqual(['ready']);
    await runUntil(scheduler, 3_500 + healthyMs);
    last().end(null, 'SIGKILL');
    const died = scheduler.now();
    await runUntil(scheduler, died + 10_000);
    expect(last().at).toBe(died + delayMs);
  });

  it('ends with 2 where the input of a worker is wrong at its first start', async () => {
    const { last, run, launched, errors } = supervised({ workers: 2, serves: false });
    last().end(2);
    expect(await run).toBe(2);
    expect(launched).toHaveLength(1);
    expect(errors).toEqual(['worker refuses its input, and wrote why']);
  });

  it('takes 2 for a death like others once the worker has been ready', async () => {
    const { scheduler, last, launched } = supervised();
    await runUntil(scheduler, 1_000);
    last().end(2);
    await runUntil(scheduler, 2_000);
    expect(launched).toHaveLength(2);
  });

  it('drains all when stopped, and starts none again', async () => {
    const { scheduler, launched, stop, run, phases } = supervised({ workers: 2 });
    await runUntil(scheduler, 1_000);
    stop();
    expect(phases()).toEqual(['draining', 'draining']);
    expect(await run).toBe(0);
    expect(launched.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM']]);
  });

  it('is stopped also while a worker waits for its next start', async () => {
    const { scheduler, last, stop, run, launched } = supervised();
    last().end(1);
    await runUntil(scheduler, 500);
    stop();
    expect(await run).toBe(0);
    expect(launched).toHaveLength(1);
  });

  it('kills who has not drained in time, and ends with 3', async () => {
    const { scheduler, launched, stop, run } = supervised({ workers: 2, stopDeadlineMs: 5_000 });
    await runUntil(scheduler, 1_000);
    launched[1]!.obeys = false;
    const before = scheduler.now();
    stop();
    await runUntil(scheduler, before + 4_999);
    expect(launched[1]?.signals).toEqual(['SIGTERM']);
    await runUntil(scheduler, before + 5_000);
    expect(launched[1]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(await run).toBe(3);
  });

  it('restarts one by one, each once the one before is ready', async () => {
    const { scheduler, launched, supervisor, unready } = supervised({ workers: 2 });
    const told = (): unknown => launched.map(({ name, signals }) => [name, ...signals]);
    await runUntil(scheduler, 1_000);
    unready.add('http://3');
    const restarting = supervisor.restartAll();
    await runUntil(scheduler, 20_000);
    expect(told()).toEqual([['w-1', 'SIGTERM'], ['w-2'], ['w-1']]);
    unready.clear();
    await runUntil(scheduler, 22_000);
    await restarting;
    expect(told()).toEqual([['w-1', 'SIGTERM'], ['w-2', 'SIGTERM'], ['w-1'], ['w-2']]);
    expect(supervisor.statuses.map(({ restarts }) => restarts)).toEqual([0, 0]);
  });

  it('does not hurry a worker that drains for a restart when all are stopped', async () => {
    const { scheduler, launched, supervisor, stop, run } = supervised({ workers: 2 });
    await runUntil(scheduler, 1_000);
    launched[0]!.obeys = false;
    const restarting = supervisor.restartAll();
    await runUntil(scheduler, 2_000);
    stop();
    await runUntil(scheduler, 3_000);
    expect(launched.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM']]);
    launched[0]!.end(0);
    expect(await run).toBe(0);
    await restarting;
    expect(launched).toHaveLength(2);
  });

  it('ends with 0 where a worker had not come to listen for signals', async () => {
    const { last, run, stop } = supervised({ serves: false });
    last().obeys = false;
    stop();
    last().end(null, 'SIGTERM');
    expect(await run).toBe(0);
  });

  it('gives up a rolling restart when stopped', async () => {
    const { scheduler, launched, supervisor, unready, stop, run } = supervised({ workers: 2 });
    await runUntil(scheduler, 1_000);
    unready.add('http://3');
    const restarting = supervisor.restartAll();
    await runUntil(scheduler, 5_000);
    stop();
    expect(await run).toBe(0);
    await restarting;
    expect(launched).toHaveLength(3);
  });
});
