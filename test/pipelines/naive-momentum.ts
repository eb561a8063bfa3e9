import type { MarketBar } from '../../pipelines/market-bar.ts';
import type { RegimeLabel } from '../../pipelines/regime-label.ts';
import { day, hour, minute } from './bars-at-hand.ts';

interface Long {
  end: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const percentages: Record<RegimeLabel, readonly number[]> = {
  unknown: [20, 35, 30, 15, 0],
  trending_bull: [15, 30, 35, 15, 5],
  choppy: [25, 35, 25, 15, 0],
  high_vol: [20, 35, 30, 15, 0],
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function longBars(bars: readonly MarketBar[], size: number, t: number): Long[] {
  const groups = Map.groupBy(bars, b => Math.ceil(b.end / size) * size);
  return [...groups]
    .filter(([end]) => end <= t)
    .map(([end, all]) => ({
      end,
      high: Math.max(...all.map(b => b.high)),
      low: Math.min(...all.map(b => b.low)),
      close: all.at(-1)?.close ?? NaN,
      volume: all.reduce((sum, b) => sum + b.volume, 0),
    }));
}

/** Wilder's smoothing of a whole series: the mean of the first `n`, then one step each. */
function wilder(values: readonly number[], n: number): number | null {
  if (values.length < n) return null;
  return values.slice(n).reduce((avg, v) => avg + (v - avg) / n, mean(values.slice(0, n)));
}

function pairs<A>(all: readonly A[]): [A, A][] {
  return all.slice(1).map((b, i) => [all[i] as A, b]);
}

function rangeOf(a: Long, b: Long): number {
  return Math.max(b.high - b.low, Math.abs(b.high - a.close), Math.abs(b.low - a.close));
}

function naiveAdx(bars: readonly Long[]): number | null {
  const moves = pairs(bars).map(([a, b]) => {
    const up = b.high - a.high;
    const down = a.low - b.low;
    return { plus: up > down && up > 0 ? up : 0, minus: down > up && down > 0 ? down : 0, tr: rangeOf(a, b) };
  });
  const dx: number[] = [];
  for (let n = 14; n <= moves.length; n++) {
    const some = moves.slice(0, n);
    const tr =
      wilder(
        some.map(m => m.tr),
        14,
      ) ?? 0;
    const plus =
      (100 *
        (wilder(
          some.map(m => m.plus),
          14,
        ) ?? 0)) /
      tr;
    const minus =
      (100 *
        (wilder(
          some.map(m => m.minus),
          14,
        ) ?? 0)) /
      tr;
    const value = (100 * Math.abs(plus - minus)) / (plus + minus);
    dx.push(Number.isFinite(value) ? value : 0);
  }
  return wilder(dx, 14);
}

function naiveRsi(closes: readonly number[]): number | null {
  const changes = pairs(closes).map(([a, b]) => b - a);
  const gain = wilder(
    changes.map(c => Math.max(c, 0)),
    14,
  );
  const loss = wilder(
    changes.map(c => Math.max(-c, 0)),
    14,
  );
  if (gain === null || loss === null) return null;
  if (loss === 0) return gain === 0 ? 50 : 100;
  return (100 * gain) / (gain + loss);
}

function naiveVadr(bars: readonly Long[]): number | null {
  if (bars.length < 21) return null;
  const all = bars.slice(-21).map(b => (b.high - b.low) * b.volume);
  const before = mean(all.slice(0, 20));
  return before === 0 ? null : (all[20] as number) / before;
}

function naiveHurst(closes: readonly number[]): number | null {
  if (closes.length < 128) return null;
  const x = closes.slice(-128).map(Math.log);
  const points: [number, number][] = [];
  for (let lag = 2; lag <= 20; lag++) {
    const d = Array.from({ length: 128 - lag }, (_, i) => (x[i + lag] as number) - (x[i] as number));
    points.push([Math.log(lag), Math.log(Math.sqrt(mean(d.map(v => v * v)) - mean(d) ** 2))]);
  }
  const [mx, my] = [mean(points.map(p => p[0])), mean(points.map(p => p[1]))];
  return mean(points.map(([a, b]) => a * b - mx * my)) / mean(points.map(([a]) => a * a - mx * mx));
}

/** Everything about a symbol at the end of the last bar given, straight from the definitions, slowly. */
export function naiveScore(
  bars: readonly MarketBar[],
  regime: RegimeLabel,
): Record<string, unknown> | undefined {
  const t = bars.at(-1)?.end ?? NaN;
  const priceAt = (time: number): number => {
    const last = bars.findLast(b => b.end <= time);
    return last === undefined || time - last.end > 5 * minute ? NaN : last.close;
  };
  const returnOver = (time: number, span: number): number => priceAt(time) / priceAt(time - span) - 1;
  const hourly = longBars(bars, hour, t);
  const ranges = hourly.map((b, i) => (i === 0 ? b.high - b.low : rangeOf(hourly[i - 1] as Long, b)));
  const atr = wilder(ranges, 14);
  const hours = [1, 4, 12, 24, 168];
  const returns = hours.map(h => returnOver(t, h * hour));
  if (atr === null || atr === 0 || returns.slice(0, 4).some(Number.isNaN)) return undefined;
  const weights = percentages[regime].map(p => p / 100);
  if (Number.isNaN(returns[4])) weights.splice(3, 2, (weights[3] as number) + (weights[4] as number), 0);
  const z = returns.map((r, i) => r / ((atr / priceAt(t)) * Math.sqrt(hours[i] as number)));
  const contributions = z.map((v, i) => (Number.isNaN(v) ? 0 : v * (weights[i] as number)));
  const sum = contributions.reduce((a, b) => a + b, 0);
  const acceleration = returnOver(t, 4 * hour) - returnOver(t - 4 * hour, 4 * hour);
  const boost = acceleration * sum > 0 ? 0.1 * Math.sign(sum) : 0;
  const inDay = bars.filter(b => b.end > t - day);
  const orNull = (v: number): number | null => (Number.isNaN(v) ? null : v);
  return {
    time: t,
    price: priceAt(t),
    score: 100 * Math.tanh((sum + boost) / 2),
    returns: returns.map(orNull),
    z: z.map(orNull),
    weights,
    contributions,
    acceleration: orNull(acceleration),
    boost,
    atr,
    rsi: naiveRsi(longBars(bars, 4 * hour, t).map(b => b.close)),
    adx: naiveAdx(hourly),
    vadr: naiveVadr(hourly),
    hurst: naiveHurst(hourly.map(b => b.close)),
    dailyVolume: inDay.reduce((s, b) => s + b.close * b.volume, 0),
  };
}
