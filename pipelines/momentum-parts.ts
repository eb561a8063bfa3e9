import * as t from 'io-ts';
import { Horizon, horizons } from './momentum-horizons.ts';
import { numberOrNull } from './number-codecs.ts';

/** What one horizon adds to a score. */
export interface MomentumPart {
  readonly horizon: Horizon;
  /** R: the move over the horizon as a share of its first price; null where unknown. */
  readonly return: number | null;
  /** Z: the move in average ranges of that span; null where unknown. */
  readonly z: number | null;
  /** Share of the score, 0 to 1, after an unknown 7d return gave its own to 24h. */
  readonly weight: number;
  /** `weight * z`. */
  readonly contribution: number;
}

export const MomentumPart: t.Type<MomentumPart> = t.type({
  horizon: Horizon,
  return: numberOrNull,
  z: numberOrNull,
  weight: t.number,
  contribution: t.number,
});

/**
 * The parts of a score, a column for each thing that is said of them, in the order 1h, 4h, 12h, 24h, 7d: scores are
 * many, and no name is repeated this way.
 */
export interface MomentumParts {
  readonly returns: readonly (number | null)[];
  readonly z: readonly (number | null)[];
  readonly weights: readonly number[];
  readonly contributions: readonly number[];
}

export const MomentumParts: t.Type<MomentumParts> = t.type({
  returns: t.readonlyArray(numberOrNull),
  z: t.readonlyArray(numberOrNull),
  weights: t.readonlyArray(t.number),
  contributions: t.readonlyArray(t.number),
});

/** The parts one by one, shortest horizon first. */
export function partsOf({ returns, z, weights, contributions }: MomentumParts): readonly MomentumPart[] {
  return horizons.map((horizon, i) => ({
    horizon,
    return: returns[i] ?? null,
    z: z[i] ?? null,
    weight: weights[i] ?? 0,
    contribution: contributions[i] ?? 0,
  }));
}

/** R over one horizon; null where unknown. */
export function returnOf({ returns }: MomentumParts, horizon: Horizon): number | null {
  return returns[horizons.indexOf(horizon)] ?? null;
}
