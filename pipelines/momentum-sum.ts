import {
  type Horizon,
  type PerHorizon,
  horizonHours,
  horizons,
  neededHorizons,
} from './momentum-horizons.ts';
import type { MomentumSettings } from './momentum-settings.ts';
import type { MomentumPart } from './momentum-value.ts';
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
  readonly parts: readonly MomentumPart[];
}

/** Shares of 1; an unknown 7d return gives its weight to 24h. */
function weightOf(horizon: Horizon, weights: PerHorizon<number>, knowsWeek: boolean): number {
  if (knowsWeek) return weights[horizon] / 100;
  if (horizon === '7d') return 0;
  return (horizon === '24h' ? weights['24h'] + weights['7d'] : weights[horizon]) / 100;
}

function partOf(horizon: Horizon, move: number | null, weight: number, atrPercent: number): MomentumPart {
  if (move === null) return { horizon, return: null, z: null, weight, contribution: 0 };
  const z = move / (atrPercent * Math.sqrt(horizonHours[horizon]));
  return { horizon, return: move, z, weight, contribution: weight * z };
}

function boostOf(sum: number, acceleration: number | null, size: number): number {
  if (acceleration === null || sum === 0 || Math.sign(acceleration) !== Math.sign(sum)) return 0;
  return Math.sign(sum) * size;
}

/** The weighted sum and its score; null while a needed return or the range is unknown (warming up). */
export function momentumSum(inputs: MomentumInputs, settings: MomentumSettings): MomentumSum | null {
  const { returns, atrPercent } = inputs;
  if (atrPercent === null || neededHorizons.some(horizon => returns[horizon] === null)) return null;
  const weights = settings.weights[inputs.regime];
  const knowsWeek = returns['7d'] !== null;
  const parts = horizons.map(h => partOf(h, returns[h], weightOf(h, weights, knowsWeek), atrPercent));
  const sum = parts.reduce((total, part) => total + part.contribution, 0);
  const boost = boostOf(sum, inputs.acceleration, settings.accelerationBoost);
  const strength = sum + boost;
  return { score: 100 * Math.tanh(strength / settings.scoreScale), strength, boost, parts };
}
