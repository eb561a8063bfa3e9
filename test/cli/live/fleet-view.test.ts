import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { signalsTopic } from '../../../pipelines/index.ts';
import type { Signal } from '../../../pipelines/index.ts';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { stubBus } from '../../../src/bus/embedded/stub.ts';
import { FleetView } from '../../../src/cli/live/fleet-view.ts';
import { problemsLogger } from '../../../src/cli/live/problems-logger.ts';
import { displayWidth } from '../../../src/cli/view/display-width.ts';
import { regimeDetection } from '../../../pipelines/topics.ts';
import type { PipelineTotal } from '../../../src/supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../../src/supervisor/worker-status.ts';
import { entryAndExit } from '../view/states.ts';
import { watchedTerminal } from './watched-terminal.ts';

const starting: WorkerReport = { name: 'main-1', phase: 'starting', restarts: 0, reasons: [], feeds: [] };
const first: WorkerReport = { ...starting, phase: 'ready', pid: 4_711, feeds: ['market'] };
const second: WorkerReport = { ...first, name: 'main-2', pid: 4_712, feeds: [] };
const dead: WorkerReport = {
  ...starting,
  name: 'main-2',
  phase: 'waiting',
  restarts: 1,
  reasons: ['it ended by SIGKILL and is started again'],
};

const bars: PipelineTotal = {
  pipeline: 'bars',
  workers: 2,
  inPerSecond: 1_800,
  outPerSecond: 30,
  inFlight: 12,
  lag: 40,
  retried: 3,
  deadLettered: 17,
  repeated: 0,
  openCircuits: 0,
};

function viewing({ market, ...size }: Parameters<typeof watchedTerminal>[0] & { market?: EventBus } = {}) {
  const terminal = watchedTerminal(size);
  const problems = problemsLogger();
  const facts = {
    title: 'main on kafka',
    explainCommand: 'cryptorun explain --backend kafka',
    log: 'main.log',
  };
  const view = new FleetView(facts, terminal, problems, market);
  onTestFinished(() => view.close());
  return { view, problems, terminal, screen: terminal.screen };
}

/** A bus with these topics and signals, as workers fill it. */
async function marketWith(topics: readonly string[], signals: readonly Signal[]): Promise<EventBus> {
  const market = stubBus();
  await market.start();
  onTestFinished(() => market.stop());
  await fill(market, topics, signals);
  return market;
}

async function fill(market: EventBus, topics: readonly string[], signals: readonly Signal[]): Promise<void> {
  for (const { name, settings } of [signalsTopic, regimeDetection])
    if (topics.includes(name)) await market.createTopic({ name, settings });
  for (const signal of signals)
    await market.publish({
      topic: signalsTopic.name,
      key: signal.symbol,
      payload: signalsTopic.codec.encode(signal),
    });
}

const both = [signalsTopic.name, regimeDetection.name];

describe('the live view over all workers', () => {
  it('says so while no worker has answered yet', () => {
    const { view, screen } = viewing();
    view.show([starting, { ...starting, name: 'main-2' }], []);
    expect(screen()).toMatch(/0 of 2 workers ready[^]*◌ {2}main-1 +starting[^]*◌ {2}main-2 +starting/);
    expect(screen()).toContain('no worker tells of its pipelines yet');
  });

  // Kills: a screen that goes on to show what a worker was when it lived.
  it('tells of a worker that dies, why, and what the others do without it, in place of what was there', () => {
    const { view, screen, terminal } = viewing();
    view.url = 'http://127.0.0.1:9090';
    view.show([first, second], [bars]);
    expect(screen()).toMatch(/2 of 2 workers ready +health and metrics at http:\/\/127\.0\.0\.1:9090/);
    expect(screen()).toMatch(/● {2}main-2 +ready +4712 +0/);
    expect(screen()).toMatch(/● {2}bars +2 +1,800 +30 +12 +40 +3 +0 +17/);
    const rows = terminal.grid.shown.length;
    view.show([first, dead], [{ ...bars, workers: 1, inPerSecond: 900, lag: 2_300 }]);
    expect(screen()).toMatch(/1 of 2 workers ready/);
    expect(screen()).toMatch(/● {2}main-1 +ready +4711 +0 +market/);
    expect(screen()).toMatch(/↻ {2}main-2 +waiting +- +1 +it ended by SIGKILL and is started again/);
    expect(screen()).toMatch(/● {2}bars +1 +900 +30 +12 +2,300/);
    expect(terminal.grid.shown).toHaveLength(rows);
  });

  it('tells what went wrong for half a minute, and how long it has run', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { view, problems, screen } = viewing();
    problems.warn({ worker: 'main-2', signal: 'SIGKILL' }, 'worker process died');
    vi.advanceTimersByTime(29_000);
    view.show([first, dead], []);
    expect(screen()).toMatch(/running 0:29[^]*! worker process died/);
    vi.advanceTimersByTime(2_000);
    view.show([first, second], []);
    expect(screen()).toMatch(/running 0:31/);
    expect(screen()).not.toContain('worker process died');
  });

  it('stays within the terminal, also within one that becomes smaller', () => {
    const { view, terminal } = viewing({ columns: 100, rows: 30 });
    const many = Array.from({ length: 40 }, (_, n) => ({ ...dead, name: `main-${n + 1}` }));
    for (const [columns, rows] of [
      [100, 30],
      [44, 9],
      [70, 20],
    ] as const) {
      Object.assign(terminal.grid, { columns, rows });
      view.show(many, [bars]);
      const { shown } = terminal.grid;
      // All of the room is used too: the size is the terminal's, not one of its own.
      expect(shown).toHaveLength(rows);
      expect(Math.max(...shown.map(displayWidth))).toBeLessThanOrEqual(columns);
      expect(shown[0]).toContain('CryptoRun Streams');
    }
  });

  it('is coloured only where the terminal shows colours', () => {
    const good = '\u001B[32m';
    for (const colour of [true, false]) {
      const { view, terminal } = viewing({ colour });
      view.show([first, dead], [bars]);
      expect(terminal.grid.writes.join('').includes(good)).toBe(colour);
    }
  });

  it('tells that it stops, and leaves behind how it ended, with the terminal as it was', async () => {
    const { view, terminal, screen } = viewing();
    view.show([first, second], [bars]);
    expect(screen()).toContain('Ctrl-C stops all');
    expect(terminal.grid.cursorShown).toBe(false);
    view.draining();
    expect(screen()).toMatch(/◐ draining[^]*finishing what is in flight/);
    await view.close();
    expect(screen()).toMatch(/✔ done[^]*0 of 2 workers ready[^]*○ {2}main-1 +stopped/);
    expect(screen()).toMatch(/○ {2}bars +0/);
    expect(terminal.grid.cursorShown).toBe(true);
    const left = terminal.grid.writes.length;
    view.show([first, second], [bars]);
    expect(terminal.grid.writes).toHaveLength(left);
  });
});

describe('the live view of workers on a backend for several processes', () => {
  // Kills: topics that are read before a worker has made them.
  it('shows the signals that there are, once a worker is ready', async () => {
    const { entry } = entryAndExit();
    const market = await marketWith(both, [entry]);
    const start = vi.spyOn(market, 'start');
    const { view, screen } = viewing({ market });
    view.show([starting], []);
    expect(start).not.toHaveBeenCalled();
    expect(screen()).not.toContain('SIGNALS');
    await expect
      .poll(() => {
        view.show([first], []);
        return screen();
      })
      .toMatch(/REGIME[^]*SIGNALS +1 entry, 0 exits[^]*ENTRY +SOL-USDT/);
    expect(screen()).toContain('why? cryptorun explain --backend kafka 3fa94c21');
  });

  it('says so where they cannot be read, goes on with the rest, and tries again', async () => {
    const market = await marketWith([], []);
    const { view, screen } = viewing({ market });
    const shownNow = (): string => {
      view.show([first], [bars]);
      return screen();
    };
    await expect.poll(shownNow).toMatch(/! signals cannot be read: .*cryptorun-signals[^]*● {2}bars/);
    await fill(market, both, [entryAndExit().entry]);
    await expect.poll(shownNow).toMatch(/SIGNALS +1 entry/);
  });

  it('gives the bus back when it ends', async () => {
    const market = await marketWith(both, []);
    const { view, screen } = viewing({ market });
    await expect
      .poll(() => {
        view.show([first], []);
        return screen();
      })
      .toContain('SIGNALS');
    await view.close();
    expect(await market.listTopics().catch((error: unknown) => error)).toMatchObject({
      code: 'bus-not-started',
    });
  });
});
