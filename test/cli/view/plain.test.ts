import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderPlain } from '../../../src/cli/view/plain.ts';
import { anyState } from './arbitrary-state.ts';
import { entryAndExit, pipelineView, stateOf, warmUps } from './states.ts';

describe('renderPlain', () => {
  it('begins with what runs, the regime and the signals so far', () => {
    const lines = renderPlain(undefined, stateOf());
    expect(lines[0]).toBe('main on embedded: reading history, simulator, 12 symbols, 10 days, seed 7');
    expect(lines[1]).toContain('Regime trending_bull since 2026-01-14 04:31:07 UTC, confidence 67 %');
    expect(lines.filter(line => /^(Entry|Exit) /.test(line))).toHaveLength(4);
  });

  it('says nothing where nothing is new', () => {
    expect(renderPlain(stateOf(), stateOf())).toEqual([]);
  });

  it('gives a line about progress when it is due', () => {
    expect(renderPlain(stateOf(), stateOf(), { progress: true })).toEqual([
      '0:42 62.4 %, 1.2M items, 84.3k/s, 21.4s left, at 2026-01-10 09:31:07 UTC, 11 symbols warming up, 2 dead letters',
    ]);
  });

  it('gives no share of a history that is over', () => {
    const live = stateOf({ phase: 'live' });
    expect(renderPlain(live, live, { progress: true })).toEqual([
      '0:42 1.2M items, 84.3k/s, at 2026-01-10 09:31:07 UTC, 11 symbols warming up, 2 dead letters',
    ]);
  });

  it('tells of a circuit that has opened, also when it is closed again', () => {
    const circuits = new Map([['circuit', 'closed']] as const);
    const pipelines = [pipelineView('bars', { circuits, circuitOpenings: 2 }), pipelineView('gates')];
    const [line] = renderPlain(stateOf({ pipelines }), stateOf({ pipelines }), { progress: true });
    expect(line).toMatch(/, circuits opened 2 times$/);
  });

  it('tells new signals in the order in which they came, with reasons and whole ids', () => {
    const { entry, exit } = entryAndExit();
    const lines = renderPlain(
      stateOf({ signals: [], tallies: [] }),
      stateOf({ signals: [exit, entry], tallies: [] }),
    );
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^Entry SOL-USDT at binance, .*\[3fa94c21/);
    expect(lines[1]).toMatch(/^ {2}- up 10 % in 12 hours/);
    expect(lines[4]).toMatch(/^Exit SOL-USDT .*\+4\.3 %/);
    expect(lines[5]).toContain('the score fell to 21.3');
  });

  it('says how many signals went by unseen', () => {
    const before = stateOf({ signals: [], tallies: [] });
    const { entry } = entryAndExit();
    const tallies = [{ venue: 'binance', symbol: 'SOL-USDT', entries: 4, exits: 3 }];
    expect(renderPlain(before, stateOf({ signals: [entry], tallies }))[0]).toBe('6 older signals not shown');
  });

  it('tells a problem once, and when all symbols are ready', () => {
    const broken = stateOf({
      problems: ['disk full'],
      pipelines: [pipelineView('gates', { problem: 'broker gone' })],
    });
    expect(renderPlain(stateOf(), broken)).toEqual(['Problem: disk full', 'Problem: gates: broker gone']);
    expect(renderPlain(broken, broken)).toEqual([]);
    expect(renderPlain(broken, stateOf({ problems: ['disk full'] }))).toEqual(['Over: gates: broker gone']);
    expect(renderPlain(stateOf(), stateOf({ warmUps: warmUps(5) }))).toEqual(['All 12 symbols ready']);
  });

  it('never holds control characters', () => {
    fc.assert(
      fc.property(anyState, anyState, (before, state) => {
        for (const line of renderPlain(before, state, { progress: true }))
          expect(line).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 50 },
    );
  });
});
