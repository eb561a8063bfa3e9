import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/cli/view/display-width.ts';
import { renderSummary } from '../../../src/cli/view/summary.ts';
import { anyState } from './arbitrary-state.ts';
import { stateOf } from './states.ts';

describe('renderSummary', () => {
  it('tells duration, items, signals, losses with reasons, where the data is and how to explain', () => {
    const text = renderSummary(stateOf({ phase: 'done' })).join('\n');
    expect(text).toContain('main on embedded ran for 42.3s');
    expect(text).toContain('1,204,881 items of simulator, 12 symbols, 10 days, seed 7, 28.5k a second');
    expect(text).toContain('Signals: 2 entries, 2 exits');
    expect(text).toMatch(/SOL-USDT +simulator +1 +1/);
    expect(text).toContain('2 dead letters; 3 malformed; 14 late');
    expect(text).toMatch(/ 1 {2}not JSON: Unexpected end of JSON input/);
    expect(text).toContain('Data is kept in ./cryptorun-data');
    expect(text).toMatch(/Why a signal: cryptorun explain b07d11e9$/m);
  });

  it('tells how far it came where it was stopped before all was read', () => {
    const first = (phase: 'done' | 'stopped'): string =>
      renderSummary(stateOf({ phase })).slice(0, 4).join('\n');
    expect(first('stopped')).toContain('Stopped at 62.4 % of the feed.');
    expect(first('done')).not.toContain('Stopped');
  });

  it('tells whose the dead letters are, which the table of pipelines has only a part of', () => {
    const told = (deadLetters: number): string =>
      renderSummary(stateOf({ counts: { malformed: 3, deadLetters, feedDeadLetters: 3, late: 18 } })).join(
        '\n',
      );
    expect(told(20)).toContain('20 dead letters: 17 of pipelines, 3 of the feed; 3 malformed; 18 late');
    expect(told(3)).toContain('3 dead letters of the feed; 3 malformed; 18 late');
  });

  it('promises no explanation of data that is gone', () => {
    const text = renderSummary(stateOf({ directory: undefined })).join('\n');
    expect(text).toContain('in memory only');
    expect(text).not.toContain('cryptorun explain');
  });

  it('stays within its columns, but for what is of use only whole', () => {
    fc.assert(
      fc.property(anyState, fc.integer({ min: 1, max: 140 }), (state, columns) => {
        const wide = renderSummary(state, { columns: 1_000 });
        for (const line of renderSummary(state, { columns })) {
          if (/^(Problem:|Data |Why a signal:)/.test(line)) expect(wide).toContain(line);
          else expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        }
      }),
      { numRuns: 50 },
    );
  });
});
