import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MomentumInputs, momentumSum } from '../../pipelines/momentum-sum.ts';
import { defaultMomentumSettings as settings } from '../../pipelines/momentum-settings.ts';

const inputs: MomentumInputs = {
  returns: { '1h': 0.01, '4h': 0.04, '12h': 0.06, '24h': -0.02, '7d': null },
  atrPercent: 0.01,
  acceleration: 0.001,
  regime: 'choppy',
};

describe('momentumSum', () => {
  it('weighs moves in average ranges, worked out by hand', () => {
    // Z: 0.01 / (0.01 * 1) = 1; 0.04 / (0.01 * 2) = 2; 0.06 / (0.01 * sqrt 12) = 1.7320508;
    //    -0.02 / (0.01 * sqrt 24) = -0.4082483
    // S: 0.25 * 1 + 0.35 * 2 + 0.25 * 1.7320508 + 0.15 * -0.4082483 = 1.3217755
    // A and S are both above 0: S + 0.1 = 1.4217755
    // tanh(S / 2) = (e^S - 1) / (e^S + 1), e^1.4217755 = 4.14447: 3.14447 / 5.14447 = 0.611233
    const sum = momentumSum(inputs, settings);
    expect(sum?.parts.z).toEqual([
      expect.closeTo(1, 9),
      expect.closeTo(2, 9),
      expect.closeTo(1.732050808, 9),
      expect.closeTo(-0.40824829, 9),
      null,
    ]);
    expect(sum?.boost).toBe(0.1);
    expect(sum?.strength).toBeCloseTo(1.421775461, 8);
    expect(sum?.score).toBeCloseTo(61.1233, 3);
  });

  it('gives the weight of an unknown 7d return to 24h, and only then', () => {
    const bull = { ...inputs, regime: 'trending_bull' } as const;
    const weightsOf = (week: number | null): readonly number[] | undefined =>
      momentumSum({ ...bull, returns: { ...bull.returns, '7d': week } }, settings)?.parts.weights;
    expect(weightsOf(null)).toEqual([0.15, 0.3, 0.35, 0.2, 0]);
    expect(weightsOf(0.1)).toEqual([0.15, 0.3, 0.35, 0.15, 0.05]);
  });

  it.each([
    ['of the other sign', -0.001, 0],
    ['unknown', null, 0],
    ['zero', 0, 0],
  ])('does not boost where acceleration is %s', (_, acceleration, boost) => {
    expect(momentumSum({ ...inputs, acceleration }, settings)?.boost).toBe(boost);
  });

  it('boosts a fall that gets faster downwards', () => {
    const falling = { ...inputs, returns: { '1h': -0.01, '4h': -0.04, '12h': 0, '24h': 0, '7d': null } };
    expect(momentumSum({ ...falling, acceleration: -0.02 }, settings)?.boost).toBe(-0.1);
    const flat = { ...inputs, returns: { '1h': 0, '4h': 0, '12h': 0, '24h': 0, '7d': null } };
    expect(momentumSum(flat, settings)).toMatchObject({ boost: 0, score: 0 });
  });

  it.each(['1h', '4h', '12h', '24h'] as const)('is none while R_%s is unknown', horizon => {
    expect(momentumSum({ ...inputs, returns: { ...inputs.returns, [horizon]: null } }, settings)).toBeNull();
  });

  it('is none while the range is unknown', () => {
    expect(momentumSum({ ...inputs, atrPercent: null }, settings)).toBeNull();
  });

  it('is odd in its moves, bounded, and the sum of its parts and boost', () => {
    const move = fc.double({ min: -0.9, max: 5, noNaN: true });
    const arbitrary = fc.record({
      returns: fc.record({ '1h': move, '4h': move, '12h': move, '24h': move, '7d': fc.option(move) }),
      atrPercent: fc.double({ min: 1e-6, max: 1, noNaN: true }),
      acceleration: fc.option(move),
      regime: fc.constantFrom('trending_bull', 'choppy', 'high_vol', 'unknown'),
    });
    fc.assert(
      fc.property(arbitrary, given => {
        const sum = momentumSum(given, settings);
        const minus = (v: number | null): number | null => (v === null ? null : -v);
        const { returns: r } = given;
        const mirrored = momentumSum(
          {
            ...given,
            returns: {
              '1h': -r['1h'],
              '4h': -r['4h'],
              '12h': -r['12h'],
              '24h': -r['24h'],
              '7d': minus(r['7d']),
            },
            acceleration: minus(given.acceleration),
          },
          settings,
        );
        expect(sum?.score).toBeCloseTo(-(mirrored?.score ?? NaN), 9);
        expect(Math.abs(sum?.score ?? NaN)).toBeLessThanOrEqual(100);
        const total = (column: readonly number[] = []): number => column.reduce((s, v) => s + v, 0);
        expect(total(sum?.parts.weights)).toBeCloseTo(1, 12);
        const added = total(sum?.parts.contributions);
        expect(added + (sum?.boost ?? NaN)).toBe(sum?.strength);
      }),
    );
  });
});
