import { mix, normal, randomFrom } from './random.ts';
import { effectsScript, type Effects } from './script.ts';
import type { SymbolProfile } from './symbols.ts';

/** One symbol in one minute, before rounding. */
export interface SymbolMinute {
  readonly profile: SymbolProfile;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Quote volume; 0 where nothing traded and no bar is made. */
  readonly volume: number;
  readonly effects: Effects;
}

/** The whole market in one minute. */
export interface MarketMinute {
  /** Minutes since the start of the history. */
  readonly minute: number;
  readonly symbols: readonly SymbolMinute[];
}

/** From the prices at the end of one minute to the next minute; holds no state that matters. */
export type MarketModel = (minute: number, prices: readonly number[]) => MarketMinute;

const MARKET = 0xfac70;
const MARKET_NOISE = 0.22;
const HOUR_TO_MINUTE = 1 / 100 / Math.sqrt(60);
/** Draws a price back to its level by up to 1.4 % a day, so that a long run stays in bounds. */
const PULL = 1e-5;
const REGIME_MINUTES = 6 * 60;
const REGIMES = [0.65, 0.85, 1, 1, 1.25, 1.6];
/** Share of the day's mean volume by hour, UTC: Asia, then Europe, then the peak of the US. */
const HOURS = [
  0.9, 0.95, 0.95, 0.9, 0.85, 0.8, 0.8, 0.9, 1, 1, 0.95, 0.95, 1.05, 1.2, 1.35, 1.35, 1.25, 1.15, 1.05, 1,
  0.95, 0.9, 0.85, 0.9,
];

/** Calm, ordinary or wild, for six hours at a time. */
function volatility(seed: number, minute: number, who: number): number {
  const block = Math.floor(minute / REGIME_MINUTES);
  return REGIMES[mix(seed, who, block, 77) % REGIMES.length] ?? 1;
}

/** A random walk with a market factor, volatility regimes and scripted events. */
export function marketModel(seed: number, start: number, profiles: readonly SymbolProfile[]): MarketModel {
  const effectsAt = effectsScript(seed, profiles);
  return (minute, prices) => {
    const market = normal(randomFrom(mix(seed, minute, MARKET))) * MARKET_NOISE;
    const factor = market * volatility(seed, minute, MARKET);
    const hour = Math.floor(start / 3_600_000 + minute / 60) % 24;
    const effects = effectsAt(minute);
    const symbols = profiles.flatMap((profile, index) => {
      const effect = effects[index];
      if (effect === undefined) return [];
      const open = prices[index] ?? profile.level;
      const activity = (HOURS[hour] ?? 1) * effect.volume;
      return [symbolMinute({ seed, minute, index, profile, effects: effect, open, factor, activity })];
    });
    return { minute, symbols };
  };
}

interface Circumstances {
  readonly seed: number;
  readonly minute: number;
  readonly index: number;
  readonly profile: SymbolProfile;
  readonly effects: Effects;
  readonly open: number;
  /** The market's return in this minute, in hourly percent. */
  readonly factor: number;
  readonly activity: number;
}

function symbolMinute(given: Circumstances): SymbolMinute {
  const { seed, minute, index, profile, effects, open, factor, activity } = given;
  const random = randomFrom(mix(seed, minute, index));
  if (random() < profile.silence / Math.max(1, effects.volume)) {
    return { profile, open, high: open, low: open, close: open, volume: 0, effects };
  }
  const spread = profile.noise * effects.noise * volatility(seed, minute, index);
  const own = normal(random) * spread;
  const move = (own + factor * profile.beta * Math.min(1, effects.noise)) * HOUR_TO_MINUTE;
  const pull = (profile.level / open - 1) * PULL;
  const close = open * (1 + move + effects.drift + pull);
  const wick = spread * HOUR_TO_MINUTE * 0.6;
  const high = Math.max(open, close) * (1 + wick * random());
  const low = Math.min(open, close) * (1 - wick * random());
  const chance = 0.4 + random() + 0.4 * random() * random();
  const excitement = Math.min(3, 0.7 + Math.abs(own) / profile.noise / 2);
  const volume = profile.volume * activity * chance * excitement;
  return { profile, open, high, low, close, volume, effects };
}
