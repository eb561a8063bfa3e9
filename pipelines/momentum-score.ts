import { hourMs } from './bar-window.ts';
import { type CloseHistory, returnOver } from './indicators/close-history.ts';
import { daySum } from './indicators/day-volume.ts';
import { vadrOf } from './indicators/vadr.ts';
import { adxOf } from './indicators/wilder-adx.ts';
import { atrOf } from './indicators/wilder-atr.ts';
import { rsiOf } from './indicators/wilder-rsi.ts';
import type { MarketBar } from './market-bar.ts';
import { type PerHorizon, horizonMs } from './momentum-horizons.ts';
import type { MomentumSettings } from './momentum-settings.ts';
import { type MomentumState, addMinuteBar } from './momentum-state.ts';
import { momentumSum } from './momentum-sum.ts';
import type { MomentumScore } from './momentum-value.ts';
import type { RegimeLabel } from './regime-label.ts';

/** The regime of the last 4h boundary at or before a score's time. */
export interface RegimeAsOf {
  readonly label: RegimeLabel;
  /** Event time, ms, of its boundary; null where none was classified yet. */
  readonly time: number | null;
}

/** R of each horizon at `time`; null where a price is unknown. */
export function returnsAt(history: CloseHistory, time: number): PerHorizon<number | null> {
  return {
    '1h': returnOver(history, time, horizonMs('1h')),
    '4h': returnOver(history, time, horizonMs('4h')),
    '12h': returnOver(history, time, horizonMs('12h')),
    '24h': returnOver(history, time, horizonMs('24h')),
    '7d': returnOver(history, time, horizonMs('7d')),
  };
}

/** A: R_4h at `time` less R_4h four hours before; null where either is unknown. */
function accelerationAt(history: CloseHistory, time: number): number | null {
  const now = returnOver(history, time, 4 * hourMs);
  const before = returnOver(history, time - 4 * hourMs, 4 * hourMs);
  return now === null || before === null ? null : now - before;
}

/**
 * Adds a closed 1m bar, in place, and scores the symbol at its end. Undefined while warming up, and where
 * the bar is not later than the last one.
 *
 * @throws RangeError where it is no sound 1m bar; the state is then as it was.
 */
export function scoreBar(
  state: MomentumState,
  bar: MarketBar,
  regime: RegimeAsOf,
  settings: MomentumSettings,
): MomentumScore | undefined {
  if (!addMinuteBar(state, bar)) return undefined;
  const { venue, symbol, end: time, close: price, high, low, closedBy } = bar;
  const atr = atrOf(state.atr);
  if (atr === null) return undefined;
  const atrPercent = atr / price;
  const acceleration = accelerationAt(state.history, time);
  const returns = returnsAt(state.history, time);
  const sum = momentumSum({ returns, atrPercent, acceleration, regime: regime.label }, settings);
  if (sum === null) return undefined;
  return {
    venue,
    symbol,
    time,
    price,
    score: sum.score,
    regime: regime.label,
    regimeTime: regime.time,
    parts: sum.parts,
    strength: sum.strength,
    acceleration,
    boost: sum.boost,
    atr,
    atrPercent,
    rsi: rsiOf(state.rsi),
    adx: adxOf(state.adx),
    vadr: vadrOf(state.vadr),
    dailyVolume: daySum(state.day),
    hurst: state.hurst.value,
    high,
    low,
    closedBy,
  };
}
