import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/cli/view/display-width.ts';
import type { LiveState } from '../../../src/cli/view/live-state.ts';
import { renderScreen } from '../../../src/cli/view/screen.ts';
import { anyState } from './arbitrary-state.ts';
import { pipelineView, stateOf, warmUps } from './states.ts';

function shown(state: LiveState, columns = 120, rows = 45): string {
  return renderScreen(state, { columns, rows, colour: false }).join('\n');
}

/** Everything that no line of a screen may hold once colours are taken off. */
const control = /[\p{Cc}\p{Cf}]/u;

describe('renderScreen', () => {
  it('stays within the terminal and free of control characters, whatever the state', () => {
    fc.assert(
      fc.property(
        anyState,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 70 }),
        (state, columns, rows) => {
          const lines = renderScreen(state, { columns, rows, colour: false });
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of lines) {
            expect(displayWidth(line)).toBeLessThanOrEqual(columns);
            expect(line).not.toMatch(control);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('differs by nothing but escape sequences when coloured', () => {
    fc.assert(
      fc.property(anyState, state => {
        const size = { columns: 100, rows: 40 };
        const coloured = renderScreen(state, { ...size, colour: true });
        const bare = renderScreen(state, { ...size, colour: false });
        expect(coloured.map(line => stripVTControlCharacters(line).trimEnd())).toEqual(bare);
      }),
      { numRuns: 50 },
    );
    expect(renderScreen(stateOf(), { columns: 100, rows: 40, colour: true }).join('')).toContain(
      '\u001B[32m',
    );
  });

  it('shows progress, rate and time left while it reads history', () => {
    const screen = shown(stateOf());
    expect(screen).toMatch(/history.*main on embedded.*running 0:42/);
    expect(screen).toMatch(/█.*62\.4 %.*84\.3k items\/s.*21\.4s left.*1\.2M items.*2026-01-10 09:31:07 UTC/);
    expect(screen).toContain('2 dead letters');
  });

  it('shows the clock instead of a bar once it is live', () => {
    const state = stateOf({ phase: 'live', warmUps: [] });
    const screen = shown({ ...state, feed: { ...state.feed, eventTime: state.now - 1_200 } });
    expect(screen).toMatch(/● live/);
    expect(screen).toMatch(/2026-01-14 09:31:07 UTC.*feed 1\.2s behind/);
    expect(screen).not.toContain('left');
  });

  it('has a row for each pipeline, with what it does and how far it is behind', () => {
    const state = stateOf({ pipelines: [pipelineView('bars', { retried: 7, deadLettered: 2 })] });
    expect(shown(state)).toMatch(
      /pipeline +in\/s +out\/s +in flight +lag +behind +retries +dead letters +watermark/,
    );
    expect(shown(state)).toMatch(/● +bars +84\.3k +1,410 +256 +1,204 +2\.1s +7 +2 +01-14 09:31:04/);
  });

  it.each([
    ['open', '⊘'],
    ['half-open', '◑'],
    ['closed', '●'],
  ] as const)('marks a pipeline whose circuit is %s', (state, mark) => {
    const circuits = new Map([['circuit', state]]);
    const screen = shown(stateOf({ pipelines: [pipelineView('bars', { circuits })] }));
    expect(screen).toMatch(new RegExp(`${mark} +bars `));
  });

  it('says how often circuits have opened, also when they are closed again', () => {
    const pipelines = [pipelineView('bars', { circuitOpenings: 1 }), pipelineView('gates')];
    expect(shown(stateOf({ pipelines }))).toMatch(/late +circuits opened 1 time/);
    expect(shown(stateOf())).not.toContain('circuits');
  });

  it('says what is wrong with a pipeline and where it is stuck', () => {
    const broken = pipelineView('gates', {
      phase: 'restarting',
      problem: 'broker gone',
      stuckAt: 'cryptorun-market-bars[3]@47 SOL-USDT',
    });
    const screen = shown(stateOf({ pipelines: [broken] }), 80, 24);
    expect(screen).toMatch(/↻ +gates/);
    expect(screen).toContain('! gates: broker gone (at cryptorun-market-bars[3]@47 SOL-USDT)');
  });

  it('shows warm-up until all symbols are warm', () => {
    expect(shown(stateOf())).toMatch(
      /WARMING UP +1 of 12 symbols ready +waiting for R_24h \(11\) +ATR \(3\)/,
    );
    expect(shown(stateOf())).toMatch(/ETH-USDT +█+.*59 %/);
    expect(shown(stateOf({ warmUps: warmUps(5, 1) }))).not.toContain('WARMING UP');
  });

  it('shows the regime with its confidence, shares and votes', () => {
    const screen = shown(stateOf());
    expect(screen).toMatch(/REGIME +trending_bull +confidence 67 %/);
    expect(screen).toMatch(
      /volatility 31 % ▸ high_vol +breadth 75 % ▸ trending_bull +thrust 83 % ▸ trending_bull/,
    );
    expect(shown(stateOf(), 80, 24)).toMatch(
      /volatility 31 % ▸ high_vol +breadth 75 % ▸ bull +thrust 83 % ▸ bull/,
    );
    expect(shown(stateOf({ regime: undefined }))).toContain('not known before the first 4h boundary');
  });

  it('shows signals newest first, each with its reasons', () => {
    const screen = shown(stateOf());
    expect(screen).toContain('SIGNALS   2 entries, 2 exits');
    expect(screen).toMatch(
      /▼ EXIT +SOL-USDT[^]*the score fell to 21\.3[^]*▲ ENTRY +SOL-USDT[^]*· .*\n.*· .*\n.*· /,
    );
    expect(shown(stateOf({ signals: [], tallies: [] }))).toContain('none yet');
    for (const phase of ['done', 'stopped'] as const)
      expect(shown(stateOf({ signals: [], tallies: [], phase }))).not.toContain('none yet');
  });

  it('keeps header, table, the newest signal with its reason and the footer on 80 by 24', () => {
    const lines = renderScreen(stateOf(), { columns: 80, rows: 24, colour: false });
    expect(lines).toHaveLength(24);
    expect(lines[0]).toContain('CryptoRun Streams');
    expect(lines.join('\n')).toMatch(/SIGNALS[^]*▼ EXIT +SOL-USDT[^]*the score fell/);
    expect(lines.at(-1)).toMatch(/Ctrl-C stops +why\? cryptorun explain b07d11e9/);
  });
});
