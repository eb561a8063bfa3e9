import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GateEvaluation } from '../../pipelines/gate-evaluation.ts';
import { evaluateGates } from '../../pipelines/gate-rules.ts';
import { defaultGateSettings } from '../../pipelines/gate-settings.ts';
import type { MomentumScore } from '../../pipelines/momentum-value.ts';
import {
  type SignalState,
  decodeSignals,
  encodeSignals,
  isIdle,
  onScore,
  passBy,
  seedSignals,
} from '../../pipelines/signal-rules.ts';
import { defaultSignalSettings as settings } from '../../pipelines/signal-settings.ts';
import { Signal } from '../../pipelines/signal-value.ts';
import { hour, minute, start } from './bars-at-hand.ts';
import { liquid, score } from './scores-at-hand.ts';

const idFor = (kind: string, time: number): string => `${kind}-${(time - start) / minute}`;

function step(state: SignalState, given: MomentumScore): Signal[] {
  return onScore(
    state,
    given,
    evaluateGates(given, { ...liquid, time: given.time }, defaultGateSettings),
    settings,
    idFor,
  );
}

/** An open signal, entered at `start` for 100 with an ATR of 1. */
function opened(): SignalState {
  const state = seedSignals();
  expect(step(state, score())).toHaveLength(1);
  return state;
}

const at = (time: number, rest: Partial<MomentumScore> = {}): MomentumScore =>
  score({ time: start + time, ...rest });

describe('onScore', () => {
  it('enters where every gate passed, and says why', () => {
    const [entry] = step(seedSignals(), score());
    expect(entry).toMatchObject({
      id: 'entry-0',
      kind: 'entry',
      direction: 'long',
      price: 100,
      stopPrice: 98,
      time: start,
      score: 80,
      regime: 'choppy',
      reasons: [
        'up 10 % in 12 hours, 3 times its usual range (adds 0.75)',
        'up 4 % in 4 hours, 2 times its usual range (adds 0.7)',
        'up 10 % in 24 hours, 2 times its usual range (adds 0.3)',
      ],
    });
    expect(entry?.kind === 'entry' && [entry.gates.length, entry.parts.length]).toEqual([10, 5]);
  });

  it('does not enter without an evaluation, nor on one that did not pass', () => {
    expect(onScore(seedSignals(), score(), undefined, settings, idFor)).toEqual([]);
    expect(step(seedSignals(), score({ score: 74 }))).toEqual([]);
  });

  it('enters on skipped gates', () => {
    const skipped = evaluateGates(score(), 'not-carried', { ...defaultGateSettings, onMissing: 'skip' });
    expect(onScore(seedSignals(), score(), skipped, settings, idFor)).toHaveLength(1);
  });

  it('has one open signal a symbol', () => {
    const state = opened();
    expect(step(state, at(minute))).toEqual([]);
    expect(step(state, at(hour))).toEqual([]);
  });

  it.each([
    ['stop', at(minute, { low: 98, score: 10 })],
    ['stop', at(49 * hour, { low: 97, score: 10 })],
    ['momentum lost', at(minute, { low: 98.001, score: 24.999 })],
    ['momentum lost', at(49 * hour, { score: -3 })],
    ['time limit', at(48 * hour)],
  ] as const)('exits by %s, the first that holds', (exitReason, given) => {
    const state = opened();
    const [exit, ...more] = step(state, given);
    expect(exit).toMatchObject({
      kind: 'exit',
      exitReason,
      entryId: 'entry-0',
      entryTime: start,
      entryPrice: 100,
    });
    expect(exit?.reasons).toHaveLength(1);
    expect(more).toEqual([]);
    expect(state.open).toBeNull();
  });

  it('stays in while none holds', () => {
    const state = opened();
    expect(step(state, at(minute, { low: 98.001, score: 25 }))).toEqual([]);
    expect(step(state, at(48 * hour - minute))).toEqual([]);
  });

  it('does not exit at the score that it entered on', () => {
    expect(step(seedSignals(), score({ low: 90 })).map(s => s.kind)).toEqual(['entry']);
  });

  it('counts the stop from the ATR of the entry', () => {
    const state = opened();
    expect(step(state, at(minute, { low: 98.5, atr: 0.1 }))).toEqual([]);
    expect(step(state, at(2 * minute, { low: 98, atr: 50, price: 98.5 }))).toMatchObject([
      { exitReason: 'stop', price: 98.5, return: expect.closeTo(-0.015, 12) as number },
    ]);
  });

  it('cools down for six hours from the exit, the last moment included', () => {
    const state = opened();
    step(state, at(hour, { score: 0 }));
    expect(step(state, at(hour + minute))).toEqual([]);
    expect(step(state, at(7 * hour))).toEqual([]);
    expect(step(state, at(7 * hour + minute)).map(s => s.id)).toEqual(['entry-421']);
  });

  it('ignores a score that was there before, and refuses the evaluation of another', () => {
    const state = opened();
    expect(step(state, score({ low: 1 }))).toEqual([]);
    expect(step(state, at(-minute, { low: 1 }))).toEqual([]);
    const before = JSON.stringify(encodeSignals(state));
    const foreign = evaluateGates(at(hour), liquid, defaultGateSettings);
    expect(() => onScore(state, at(2 * hour), foreign, settings, idFor)).toThrow('Join each score with');
    expect(JSON.stringify(encodeSignals(state))).toBe(before);
  });

  it('pairs every exit with the entry before it, keeps its cool-downs, and survives storage, over any scores', () => {
    const one = fc.record({
      gap: fc.integer({ min: 1, max: 600 }),
      score: fc.integer({ min: 0, max: 100 }),
      low: fc.integer({ min: 97, max: 100 }),
    });
    const both = (given: MomentumScore): [MomentumScore, GateEvaluation] => [
      given,
      evaluateGates(given, liquid, defaultGateSettings),
    ];
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 150 }), fc.nat(150), (steps, cut) => {
        let [state, time] = [seedSignals(), start];
        const whole = seedSignals();
        const signals = steps.flatMap(({ gap, ...rest }, i) => {
          time += gap * minute;
          if (i === cut) state = decodeSignals(JSON.parse(JSON.stringify(encodeSignals(state))));
          const [given, evaluation] = both(score({ time, ...rest }));
          const made = onScore(state, given, evaluation, settings, idFor);
          expect(onScore(whole, given, evaluation, settings, idFor)).toEqual(made);
          return made;
        });
        signals.forEach((signal, i) => {
          const before = signals[i - 1];
          expect(signal.kind).toBe(i % 2 === 0 ? 'entry' : 'exit');
          if (signal.kind === 'exit')
            expect([signal.entryId, signal.time > signal.entryTime]).toEqual([before?.id, true]);
          else if (before) expect(signal.time - before.time).toBeGreaterThan(6 * hour);
          expect(Signal.decode(JSON.parse(JSON.stringify(signal)))).toEqual({ _tag: 'Right', right: signal });
        });
      }),
    );
  });
});

describe('passBy', () => {
  it('leaves an idle state as a score without an evaluation does', () => {
    const minutes = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(minutes, fc.array(minutes), (entered, times) => {
        const state = opened();
        step(state, at(entered * minute, { low: 1, high: 101 }));
        fc.pre(isIdle(state));
        const passed = structuredClone(state);
        for (const time of times) {
          onScore(state, at(time * minute), undefined, settings, idFor);
          passBy(passed, start + time * minute);
        }
        expect(passed).toEqual(state);
      }),
    );
  });
});
