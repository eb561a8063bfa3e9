import type { MarketBar } from '../../pipelines/market-bar.ts';
import type { Measures } from '../../pipelines/regime-votes.ts';
import { day, hour, minute } from './bars-at-hand.ts';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function longCloses(bars: readonly MarketBar[], size: number): { end: number; close: number }[] {
  const groups = Map.groupBy(bars, b => Math.ceil(b.end / size) * size);
  return [...groups].map(([end, all]) => ({ end, close: all.at(-1)?.close ?? NaN }));
}

/** The measures at `t` of symbols given by all their bars, straight from the definitions, slowly. */
export function naiveMeasures(symbols: readonly (readonly MarketBar[])[], t: number): Measures {
  const known = symbols.map(bars => bars.filter(b => b.end <= t));
  const seen = known.filter(bars => bars.length > 0 && t - (bars.at(-1)?.end ?? 0) <= day);
  const volatility: number[] = [];
  const breadth: boolean[] = [];
  const thrust: boolean[] = [];
  for (const bars of seen) {
    const priceAt = (time: number): number => {
      const last = bars.findLast(b => b.end <= time);
      return last === undefined || time - last.end > 5 * minute ? NaN : last.close;
    };
    const hours = longCloses(bars, hour).filter(b => b.end > t - 7 * day);
    const returns = hours.slice(1).map((b, i) => Math.log(b.close) - Math.log(hours[i]?.close ?? NaN));
    const squares = returns.map(r => (r - mean(returns)) ** 2).reduce((a, b) => a + b, 0);
    if (returns.length >= 48) volatility.push(Math.sqrt((squares / (returns.length - 1)) * 168));
    const fours = longCloses(bars, 4 * hour).slice(-20);
    const price = priceAt(t);
    if (fours.length === 20 && !Number.isNaN(price)) breadth.push(price > mean(fours.map(b => b.close)));
    const rise = price / priceAt(t - day) - 1;
    if (!Number.isNaN(rise)) thrust.push(rise > 0);
  }
  return { seen: seen.length, volatility, breadth, thrust };
}
