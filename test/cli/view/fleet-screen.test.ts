import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/cli/view/display-width.ts';
import { renderFleet } from '../../../src/cli/view/fleet-screen.ts';
import type { FleetState } from '../../../src/cli/view/fleet-state.ts';
import { entryAndExit, now } from './states.ts';

const total = {
  pipeline: 'bars',
  workers: 2,
  inPerSecond: 1_800,
  outPerSecond: 1_799,
  inFlight: 12,
  lag: 40,
  retried: 3,
  deadLettered: 17,
  repeated: 5,
  openCircuits: 0,
  watermark: now,
};

function fleet(rest: Partial<FleetState> = {}): FleetState {
  const { entry } = entryAndExit();
  return {
    phase: 'live',
    title: 'main on kafka',
    elapsedMs: 42_000,
    workers: [
      { name: 'main-1', phase: 'ready', pid: 4_711, restarts: 0, feeds: ['market'], reasons: [] },
      {
        name: 'main-2',
        phase: 'waiting',
        restarts: 2,
        feeds: [],
        reasons: ['it ended by SIGKILL and is started again'],
      },
    ],
    pipelines: [total, { ...total, pipeline: 'gates', workers: 0 }],
    market: {
      regime: undefined,
      signals: [entry],
      tallies: [{ venue: entry.venue, symbol: entry.symbol, entries: 1, exits: 0 }],
    },
    problems: ['worker process died'],
    url: 'http://127.0.0.1:9090',
    log: 'main.log',
    explainCommand: 'cryptorun explain --backend kafka',
    ...rest,
  };
}

function shown(state: FleetState, columns = 120, rows = 40): string {
  return renderFleet(state, { columns, rows, colour: false }).join('\n');
}

describe('renderFleet', () => {
  it('shows each worker, why it is not ready, and what all of them do together', () => {
    const screen = shown(fleet());
    expect(screen).toMatch(/● live.*main on kafka.*running 0:42/);
    expect(screen).toMatch(/1 of 2 workers ready.*http:\/\/127\.0\.0\.1:9090/);
    expect(screen).toMatch(/● {2}main-1 +ready +4711 +0 +market/);
    expect(screen).toMatch(/↻ {2}main-2 +waiting +- +2 +it ended by SIGKILL and is started again/);
    expect(screen).toMatch(/● {2}bars +2 +1,800 +1,799 +12 +40 +3 +5 +17/);
    expect(screen).toMatch(/○ {2}gates +0/);
    expect(screen).toContain('! worker process died');
  });

  it('shows the last signals, and how to ask for their reasons', () => {
    const screen = shown(fleet());
    expect(screen).toMatch(/SIGNALS +1 entry, 0 exits/);
    expect(screen).toMatch(/ENTRY {2}SOL-USDT/);
    expect(screen).toMatch(/why\? cryptorun explain --backend kafka 3fa94c21/);
  });

  it('says nothing of the market where it cannot read it, and where the log is', () => {
    const screen = shown(fleet({ market: undefined }));
    expect(screen).not.toContain('SIGNALS');
    expect(screen).toContain('log in main.log');
  });

  it('marks a pipeline with an open circuit, and tells of the end', () => {
    expect(shown(fleet({ pipelines: [{ ...total, openCircuits: 1 }] }))).toMatch(/⊘ {2}bars/);
    expect(shown(fleet({ phase: 'draining' }))).toContain('finishing what is in flight');
    expect(shown(fleet({ phase: 'done' }))).toContain('✔ done');
  });

  it('stays within the terminal, coloured or not, whatever its size and whatever workers are called', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 160 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.string(), { maxLength: 60 }),
        (columns, rows, names) => {
          const workers = names.map(name => ({
            name,
            phase: 'not-ready' as const,
            restarts: 1,
            feeds: [name],
            reasons: [name],
          }));
          const state = fleet({ workers });
          const bare = renderFleet(state, { columns, rows, colour: false });
          expect(bare.length).toBeLessThanOrEqual(rows);
          for (const line of bare) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          const coloured = renderFleet(state, { columns, rows, colour: true });
          expect(coloured.map(line => stripVTControlCharacters(line).trimEnd())).toEqual(bare);
        },
      ),
      { numRuns: 100 },
    );
  });
});
