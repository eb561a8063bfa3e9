import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GateEvaluation, type GateName, type GateResult } from '../../pipelines/gate-evaluation.ts';
import {
  type LiquidityInput,
  evaluateGates,
  mayNeedEvaluation,
  missingCountsAs,
  needsEvaluation,
} from '../../pipelines/gate-rules.ts';
import { defaultGateSettings as settings } from '../../pipelines/gate-settings.ts';
import type { MomentumScore } from '../../pipelines/momentum-value.ts';
import { toldOf } from '../../pipelines/score-headers.ts';
import type { RegimeLabel } from '../../pipelines/regime-label.ts';
import { MessageHeaders } from '../../src/index.ts';
import { start } from './bars-at-hand.ts';
import { liquid, score, withReturn } from './scores-at-hand.ts';

function gate(name: GateName, given: MomentumScore, liquidity: LiquidityInput = liquid): GateResult {
  const found = evaluateGates(given, liquidity, settings).gates.find(g => g.name === name);
  if (found === undefined) throw new Error(`no gate ${name}`);
  return found;
}

const labels: readonly RegimeLabel[] = ['trending_bull', 'choppy', 'high_vol', 'unknown'];

describe('evaluateGates', () => {
  it('evaluates all ten, whatever fails, in a fixed order', () => {
    const good = evaluateGates(score(), liquid, settings);
    expect(good).toMatchObject({ passed: true, time: start, regime: 'choppy', score: 80, bookTime: start });
    expect(good.gates.map(g => g.name)).toEqual([
      'score',
      'movement',
      'volume range',
      'daily volume',
      'trend quality',
      'spread',
      'depth',
      'freshness',
      'fatigue',
      'late fill',
    ]);
    const bad = evaluateGates(score({ score: 60, vadr: null, dailyVolume: 0 }), undefined, settings);
    expect(bad.gates).toHaveLength(10);
    expect(bad.gates.filter(g => g.status === 'failed').map(g => g.name)).toEqual([
      'score',
      'volume range',
      'daily volume',
      'spread',
      'depth',
    ]);
    expect(bad.passed).toBe(false);
  });

  it.each([
    ['score', { score: 75 }, { score: 74.999 }],
    ['volume range', { vadr: 2 }, { vadr: 1.999 }],
    ['volume range', { vadr: 2 }, { vadr: null }],
    ['daily volume', { dailyVolume: 500_000 }, { dailyVolume: 499_999 }],
    ['trend quality', { adx: 25, hurst: 0.1 }, { adx: 24.9, hurst: 0.549 }],
    ['trend quality', { adx: 1, hurst: 0.55 }, { adx: null, hurst: 0.549 }],
    ['trend quality', { adx: 25, hurst: null }, { adx: null, hurst: null }],
    [
      'freshness',
      { closedBy: { time: start + 120_000, price: 101.2 } },
      { closedBy: { time: start + 120_001, price: 100 } },
    ],
    ['freshness', { closedBy: { time: start, price: 98.9 } }, { closedBy: { time: start, price: 98.7 } }],
    [
      'late fill',
      { closedBy: { time: start + 30_000, price: 100 } },
      { closedBy: { time: start + 30_001, price: 100 } },
    ],
  ] as const)('%s passes at %j and fails at %j', (name, passing, failing) => {
    // An ATR just above 1, so that 101.2 - 100, which rounds up, is within 1.2 of it.
    expect(gate(name, score({ ...passing, atr: 1.0001 })).status).toBe('passed');
    expect(gate(name, score({ ...failing, atr: 1.0001 })).status).toBe('failed');
  });

  it('judges movement up or down by regime', () => {
    const least = { trending_bull: 2.5, choppy: 3, high_vol: 4, unknown: 3 };
    for (const regime of labels) {
      for (const sign of [1, -1]) {
        const move = (percent: number): string =>
          gate('movement', withReturn(score({ regime }), '4h', (sign * percent) / 100)).status;
        expect([move(least[regime] + 1e-9), move(least[regime] - 1e-9)]).toEqual(['passed', 'failed']);
      }
    }
  });

  it('judges activity, spread and depth by regime', () => {
    const thresholds = {
      trending_bull: [1.6, 55, 100_000],
      choppy: [2, 40, 150_000],
      high_vol: [2.1, 35, 175_000],
      unknown: [1.75, 50, 100_000],
    } as const;
    for (const regime of labels) {
      const [vadr, spreadBps, depth] = thresholds[regime];
      const at = score({ regime, vadr });
      expect(gate('volume range', at).status).toBe('passed');
      expect(gate('volume range', { ...at, vadr: vadr - 1e-9 }).status).toBe('failed');
      expect(gate('spread', at, { ...liquid, spreadBps }).status).toBe('passed');
      expect(gate('spread', at, { ...liquid, spreadBps: spreadBps + 1e-9 }).status).toBe('failed');
      expect(gate('depth', at, { ...liquid, askDepth: depth }).status).toBe('passed');
      expect(gate('depth', at, { ...liquid, bidDepth: depth - 1 }).status).toBe('failed');
    }
  });

  it('fails a book that has no spread', () => {
    expect(
      gate('spread', score(), { ...liquid, mid: null, spreadBps: null, bidDepth: 0, askDepth: 0 }),
    ).toMatchObject({
      status: 'failed',
      value: null,
    });
  });

  it.each([
    // rise over 24 hours, RSI, acceleration
    [0.12, 90, 0, 'passed'],
    [0.13, 70, 0, 'passed'],
    [0.13, 71, 0.0199, 'failed'],
    [0.13, 71, 0.02, 'passed'],
    [0.13, 71, null, 'failed'],
    [0.01, null, 0.05, 'failed'],
    [0.01, 71, null, 'passed'],
  ])('fatigue at a rise of %s, RSI %s, acceleration %s: %s', (rise, rsi, acceleration, status) => {
    expect(gate('fatigue', withReturn(score({ rsi, acceleration }), '24h', rise)).status).toBe(status);
  });

  it('says why in words', () => {
    expect(gate('spread', score(), { ...liquid, spreadBps: 41.256 }).reason).toBe(
      'spread 41.26 bps is above 40 bps',
    );
    expect(gate('daily volume', score({ dailyVolume: 12_345_678 })).reason).toBe(
      'daily volume of 12,345,678 quote is at least 500,000 quote',
    );
    expect(gate('volume range', score({ vadr: null })).reason).toContain('is not known yet');
    expect(gate('depth', score(), 'not-carried').reason).toBe('depth is not carried by this feed');
  });

  it('lets onMissing decide about books that the feed does not carry', () => {
    const passed = (onMissing: 'auto' | 'fail' | 'skip', recorded: boolean): boolean =>
      evaluateGates(score(), 'not-carried', { ...settings, onMissing }, recorded).passed;
    expect([passed('auto', true), passed('auto', false)]).toEqual([true, false]);
    expect([passed('fail', true), passed('skip', false)]).toEqual([false, true]);
    expect(missingCountsAs('auto', true)).toBe('skip');
    const result = evaluateGates(score(), 'not-carried', settings, true);
    expect(result).toMatchObject({ onMissing: 'skip', bookTime: null });
    expect(result.gates.filter(g => g.status === 'not-evaluated').map(g => g.name)).toEqual([
      'spread',
      'depth',
    ]);
    // A book that is carried and has not come yet is no reason to skip.
    expect(evaluateGates(score(), undefined, { ...settings, onMissing: 'skip' }, true).passed).toBe(false);
  });

  it('refuses liquidity from later, or of another symbol or venue', () => {
    const use = (part: Partial<typeof liquid>) => () =>
      evaluateGates(score(), { ...liquid, ...part }, settings);
    expect(use({ time: start + 1 })).toThrow('cannot be used. Join the newest book at or before');
    expect(use({ symbol: 'XRP-USDT' })).toThrow(RangeError);
    expect(use({ venue: 'okx' })).toThrow(RangeError);
  });

  it('evaluates scores from 60 up', () => {
    expect([60, 59.999].map(s => needsEvaluation(score({ score: s }), settings))).toEqual([true, false]);
  });

  it('passes exactly where no gate stands against it, and survives its codec', () => {
    const value = fc.option(fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(
        fc.record({
          adx: value,
          vadr: value,
          hurst: value,
          rsi: value,
          score: fc.integer({ min: 60, max: 100 }),
        }),
        fc.constantFrom<LiquidityInput>(liquid, undefined, 'not-carried'),
        fc.constantFrom('fail', 'skip'),
        (part, liquidity, onMissing) => {
          const result = evaluateGates(score(part), liquidity, { ...settings, onMissing });
          const against = result.gates.filter(
            g => g.status === 'failed' || (g.status === 'not-evaluated' && onMissing === 'fail'),
          );
          expect(result.passed).toBe(against.length === 0);
          const stored: unknown = JSON.parse(JSON.stringify(result));
          expect(GateEvaluation.decode(stored)).toEqual({ _tag: 'Right', right: result });
        },
      ),
    );
  });
});

describe('a message with a score', () => {
  const told = (...headers: readonly (readonly [string, string])[]): boolean =>
    mayNeedEvaluation({ headers: MessageHeaders.of(headers), payload: Buffer.from('{}') }, settings);

  it('is read where its header says that it is high, and where none says', () => {
    expect(told(['momentum-score', '60'])).toBe(true);
    expect(told(['momentum-score', '59.99999999999999'])).toBe(false);
    expect(told(['momentum-score', '-80'])).toBe(false);
    expect(told()).toBe(true);
  });

  it('tells every score that needs an evaluation', () => {
    const anyScore = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(anyScore, anyScore, (value, evaluateFrom) => {
        const headers = MessageHeaders.of(toldOf(score({ score: value })));
        const payload = Buffer.from('{}');
        const isRead = mayNeedEvaluation({ headers, payload }, { ...settings, evaluateFrom });
        expect(isRead).toBe(Math.ceil(value) >= evaluateFrom);
        expect(isRead || value < evaluateFrom).toBe(true);
      }),
    );
  });

  it('is a marker without a payload', () => {
    const headers = MessageHeaders.of({ 'momentum-score': '0' });
    expect(mayNeedEvaluation({ headers, payload: null }, settings)).toBe(true);
  });
});
