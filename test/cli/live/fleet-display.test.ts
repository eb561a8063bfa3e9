import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Options } from '../../../src/cli/command.ts';
import { type FleetDisplay, displayOf } from '../../../src/cli/live/fleet-display.ts';
import type { BackendConfig } from '../../../src/config/backends.ts';
import type { PipelineTotal } from '../../../src/supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../../src/supervisor/worker-status.ts';
import { type WatchedTerminal, watchedTerminal } from './watched-terminal.ts';

const backend: BackendConfig = {
  kind: 'stub',
  maxPartitionBytes: 65_536,
  maxWaitingPublishes: 10,
  publishTimeout: 1_000,
  maintenanceInterval: 60_000,
};

const ready: WorkerReport = { name: 'main-1', phase: 'ready', pid: 7, restarts: 0, reasons: [], feeds: [] };
const workers: readonly WorkerReport[] = [
  ready,
  { ...ready, name: 'main-2', phase: 'waiting', restarts: 2, reasons: ['it ended by SIGKILL'] },
];
const bars: PipelineTotal = {
  pipeline: 'bars',
  workers: 1,
  inPerSecond: 1_800,
  outPerSecond: 30,
  inFlight: 12,
  lag: 40,
  retried: 0,
  deadLettered: 0,
  repeated: 0,
  openCircuits: 0,
};

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-display-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The display of a bundle whose name is a path here, so that its log lies in a folder of the test. */
function shownOn(terminal: WatchedTerminal, options: Options = {}): FleetDisplay & { readonly log: string } {
  const name = join(temporary(), 'main');
  const display = displayOf({ options, positionals: [], terminal }, name, 'info', backend);
  return { ...display, log: `${name}.log` };
}

describe('several workers', () => {
  // Kills: a screen that is redrawn into a pipe or a file; colours in it; workers that write to a file nobody asked for.
  it.each([
    { where: 'where there is no terminal', isInteractive: false, options: {} },
    { where: 'where --plain asks for it', isInteractive: true, options: { plain: true } },
  ])(
    'are shown as lines $where, and write what they have to say themselves',
    async ({ isInteractive, options }) => {
      const terminal = watchedTerminal({ isInteractive, colour: isInteractive });
      const display = shownOn(terminal, options);
      display.started('http://127.0.0.1:9090');
      display.show(workers, [bars]);
      display.show([ready], [{ ...bars, workers: 2 }]);
      display.draining();
      await display.close(0);
      expect(terminal.lines).toEqual([
        'main-1 ready, main-2 waiting (2 restarts)',
        '  bars  in 1,800/s  out 30/s  in flight 12  lag 40  watermark -  on 1',
        'main-1 ready',
        '  bars  in 1,800/s  out 30/s  in flight 12  lag 40  watermark -  on 2',
      ]);
      expect(terminal.grid.writes).toEqual([]);
      expect(display.output).toEqual([1, 2]);
      expect(existsSync(display.log)).toBe(false);
    },
  );

  // Kills: what workers print, as notifications, in between the objects.
  it('are one JSON object a line with --json, alone on standard output', () => {
    const terminal = watchedTerminal();
    const display = shownOn(terminal, { json: true });
    display.show(workers, [bars]);
    display.show([], []);
    const said = terminal.lines.map(line => JSON.parse(line) as unknown);
    expect(said).toEqual([
      { workers, pipelines: [bars] },
      { workers: [], pipelines: [] },
    ]);
    expect(terminal.grid.writes).toEqual([]);
    expect(display.output).toEqual([2, 2]);
  });

  it('are a screen on a terminal, and write to a file named after their bundle', async () => {
    const terminal = watchedTerminal({ columns: 160 });
    const display = shownOn(terminal);
    display.started('http://127.0.0.1:9090');
    display.show(workers, [bars]);
    expect(terminal.lines).toEqual([]);
    expect(terminal.screen()).toMatch(
      /main on stub[^]*1 of 2 workers ready +health and metrics at http:\/\/127\.0\.0\.1:9090/,
    );
    expect(terminal.screen()).toMatch(/bars +1 +1,800 +30/);
    expect(terminal.screen()).toContain(`log in ${display.log}`);
    // For whoever has started them alone: payloads may stand in it.
    expect(statSync(display.log).mode & 0o777).toBe(0o600);
    const [stdout, stderr] = display.output;
    expect([stdout > 2, stderr]).toEqual([true, stdout]);
    await display.close(0);
    expect(terminal.screen()).toContain('✔ done');
  });

  // Kills: a death that is told in the file alone, or on the screen alone.
  it('are told of on the screen and in the file where one dies', async () => {
    const terminal = watchedTerminal();
    const display = shownOn(terminal);
    display.logger.info({ worker: 'main-2' }, 'worker process started');
    display.logger.warn({ worker: 'main-2', signal: 'SIGKILL' }, 'worker process died');
    display.show(workers, [bars]);
    expect(terminal.screen()).toMatch(/! worker process died[^]*↻ {2}main-2 +waiting/);
    expect(terminal.screen()).not.toContain('worker process started');
    await display.close(0);
    const logged = readFileSync(display.log, 'utf8').trim().split('\n');
    expect(logged.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { worker: 'main-2', msg: 'worker process started' },
      { worker: 'main-2', signal: 'SIGKILL', msg: 'worker process died' },
    ]);
  });

  // Kills: an end that looks like a good one; a failure of which the terminal shows nothing.
  it('say at their end that they have failed, and which file says why', async () => {
    const terminal = watchedTerminal();
    const display = shownOn(terminal);
    display.show([ready], []);
    await display.close(2);
    expect(terminal.screen()).toContain('✗ failed');
    expect(terminal.screen()).not.toContain('✔');
    expect(terminal.errors).toEqual([`ended with code 2: ${display.log} says why`]);
  });

  it('show nothing where they did not come to run: who says why is somebody else', async () => {
    const terminal = watchedTerminal();
    await shownOn(terminal).close(undefined);
    expect([terminal.screen(), terminal.errors]).toEqual(['', []]);
  });

  it('keep what the file named by --log holds already', async () => {
    const log = join(temporary(), 'mine.log');
    for (const run of ['first', 'second']) {
      const display = shownOn(watchedTerminal(), { log });
      display.logger.warn({}, `${run} run`);
      await display.close(0);
    }
    expect(readFileSync(log, 'utf8')).toMatch(/first run[^]*second run/);
  });

  it('are not started where their log cannot be written, with what to do', () => {
    const log = join(temporary(), 'no-such-folder', 'main.log');
    expect(() => shownOn(watchedTerminal(), { log })).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: `${log} cannot be written (ENOENT): name another file with --log`,
      }) as Error,
    );
  });
});
