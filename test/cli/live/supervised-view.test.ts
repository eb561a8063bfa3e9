import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { displayOf } from '../../../src/cli/live/fleet-display.ts';
import { runSupervisor } from '../../../src/supervisor/run-supervisor.ts';
import { type WorkerProcess, forkWorker } from '../../../src/supervisor/worker-process.ts';
import { watchedTerminal } from './watched-terminal.ts';

const script = fileURLToPath(new URL('../../supervisor/fake-worker-child.ts', import.meta.url));
const patiently = { timeout: 15_000, interval: 20 };

// Kills: a view that nobody tells of a death; a worker started again that is missing from the totals; a log that the
// screen does not keep to itself.
it('shows processes of workers, one of which is killed, from their start to their end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'supervised-view-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const log = join(folder, 'workers.log');
  const terminal = watchedTerminal({ columns: 160 });
  const backend = { kind: 'stub', maxPartitionBytes: 65_536, maxWaitingPublishes: 10 } as const;
  const display = displayOf({ options: { log }, positionals: [], terminal }, 'fake', 'info', {
    ...backend,
    publishTimeout: 1_000,
    maintenanceInterval: 60_000,
  });
  const stop = new AbortController();
  const launched: WorkerProcess[] = [];
  const running = runSupervisor({
    name: 'fake',
    workers: 2,
    http: { host: '127.0.0.1', port: 0 },
    stopDeadlineMs: 10_000,
    signal: stop.signal,
    logger: display.logger,
    launch: name => {
      const worker = forkWorker({ script, args: [name], execArgv: [], output: display.output });
      launched.push(worker);
      return worker;
    },
    started: (_, url) => display.started(url),
    show: display.show,
    showIntervalMs: 20,
  });
  onTestFinished(async () => {
    stop.abort();
    await running;
  });

  const twoReady = /2 of 2 workers ready[^]*● {2}fake-1 +ready[^]*● {2}fake-2 +ready[^]*● {2}bars +2 /;
  await expect.poll(terminal.screen, patiently).toMatch(twoReady);
  expect(terminal.screen()).not.toContain('! ');
  launched[1]?.kill('SIGKILL');
  await expect.poll(terminal.screen, patiently).toMatch(/! worker process died/);
  await expect.poll(terminal.screen, patiently).toMatch(twoReady);
  expect(terminal.screen()).toMatch(new RegExp(`fake-2 +ready +${launched[2]?.pid} +1$`, 'm'));

  display.draining();
  stop.abort();
  expect(await running).toBe(0);
  await display.close(0);
  expect(terminal.screen()).toMatch(/✔ done[^]*fake-1 +stopped[^]*fake-2 +stopped/);
  // All that anybody wrote by himself went there: the screen is as it was drawn.
  expect(await readFile(log, 'utf8')).toMatch(/worker process died[^]*fake-1 \d+ drains/);
  expect(terminal.lines).toEqual([]);
}, 30_000);
