import {
  type Horizon,
  type PerHorizon,
  horizonHours,
  horizons,
  neededHorizons,
} from './momentum-horizons.ts';
import type { MomentumSettings } from './momentum-settings.ts';
import type { MomentumParts } from './momentum-parts.ts';
import type { RegimeLabel } from './regime-label.ts';

/** What a score is made of; null stands for unknown. */
export interface MomentumInputs {
  /** R of each horizon. */
  readonly returns: PerHorizon<number | null>;
  /** `ATR / P(t)`, a share. */
  readonly atrPercent: number | null;
  readonly acceleration: number | null;
  readonly regime: RegimeLabel;
}

/** A score and how it came about. */
export interface MomentumSum {
  /** -100 to 100. */
  readonly score: number;
  /** S, boost included. */
  readonly strength: number;
  readonly boost: number;
  readonly parts: MomentumParts;
}

/** Shares of 1; an unknown 7d return gives its weight to 24h. */
function weightOf(horizon: Horizon, weights: PerHorizon<number>, knowsWeek: boolean): number {
  if (knowsWeek) return weights[horizon] / 100;
  if (horizon === '7d') return 0;
  return (horizon === '24h' ? weights['24h'] + weights['7d'] : weights[horizon]) / 100;
}

function partsOf(
  moves: PerHorizon<number | null>,
  atrPercent: number,
  shares: PerHorizon<number>,
): MomentumParts {
  const [returns, z]: [(number | null)[], (number | null)[]] = [[], []];
  const [weights, contributions]: [number[], number[]] = [[], []];
  const knowsWeek = moves['7d'] !== null;
  for (const horizon of horizons) {
    const move = moves[horizon];
    const weight = weightOf(horizon, shares, knowsWeek);
    const ranges = move === null ? null : move / (atrPercent * Math.sqrt(horizonHours[horizon]));
    returns.push(move);
    z.push(ranges);
    weights.push(weight);
    contributions.push(ranges === null ? 0 : weight * ranges);
  }
  return { returns, z, weights, contributions };
}

function boostOf(sum: number, acceleration: number | null, size: number): number {
  if (acceleration === null || sum === 0 || Math.sign(acceleration) !== Math.sign(sum)) return 0;
  return Math.sign(sum) * size;
}

/** The weighted sum and its score; null while a needed return or the range is unknown (warming up). */
export function momentumSum(inputs: MomentumInputs, settings: MomentumSettings): MomentumSum | null {
  const { returns, atrPercent } = inputs;
  if (atrPercent === null || neededHorizons.some(horizon => returns[horizon] === null)) return null;
  const parts = partsOf(returns, atrPercent, settings.weights[inputs.regime]);
  const sum = parts.contributions.reduce((total, contribution) => total + contribution, 0);
  const boost = boostOf(sum, inputs.acceleration, settings.accelerationBoost);
  const strength = sum + boost;
  return { score: 100 * Math.tanh(strength / settings.scoreScale), strength, boost, parts };
}
