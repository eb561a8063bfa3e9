import { dayMs } from './bar-window.ts';
import { atrOf } from './indicators/wilder-atr.ts';
import { neededHorizons } from './momentum-horizons.ts';
import { returnsAt } from './momentum-score.ts';
import type { MomentumState } from './momentum-state.ts';

/** How far a symbol is from its first score. */
export interface WarmUp {
  /** How many needed inputs are known. */
  readonly known: number;
  /** How many there are: four returns and the range. */
  readonly needed: number;
  /** The unknown ones: `R_24h`, `ATR`, ... */
  readonly missing: readonly string[];
  /** 0 to 1: the share of the day and of the range's bars that has been seen; 1 does not mean known. */
  readonly progress: number;
}

/** What is still unknown of a symbol at `time` ms, at or after its last bar. */
export function warmUp(state: MomentumState, time: number): WarmUp {
  const returns = returnsAt(state.history, time);
  const missing = neededHorizons.filter(horizon => returns[horizon] === null).map(horizon => `R_${horizon}`);
  if (atrOf(state.atr) === null) missing.push('ATR');
  const needed = neededHorizons.length + 1;
  const daySeen = state.firstEnd === null ? 0 : Math.max(0, time - state.firstEnd) / dayMs;
  const progress = Math.min(1, daySeen, state.atr.count / state.atr.period);
  return { known: needed - missing.length, needed, missing, progress };
}
