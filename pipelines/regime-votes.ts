import type { RegimeLabel } from './regime-label.ts';
import type { RegimeSettings } from './regime-settings.ts';
import type { PerMeasure, Regime, RegimeVote } from './regime-value.ts';

/** The measures of every seen symbol; a symbol without a value is left out of that list. */
export interface Measures {
  /** Symbols seen. */
  readonly seen: number;
  readonly volatility: readonly number[];
  readonly breadth: readonly boolean[];
  readonly thrust: readonly boolean[];
}

/** The more careful first: a tie goes to it. */
const careful: readonly RegimeLabel[] = ['high_vol', 'choppy', 'trending_bull'];

/** The middle value, of an even count the mean of the two in the middle; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  return high === undefined || low === undefined ? null : (low + high) / 2;
}

function shareOf(values: readonly boolean[]): number | null {
  return values.length === 0 ? null : values.filter(Boolean).length / values.length;
}

function vote(
  share: number | null,
  known: number,
  needed: number,
  rule: { readonly abovePercent: number; readonly above: RegimeLabel; readonly else: RegimeVote },
): RegimeVote {
  if (share === null || known < needed) return 'too few';
  return share > rule.abovePercent / 100 ? rule.above : rule.else;
}

function winnerOf(
  votes: PerMeasure<RegimeVote>,
  previous: RegimeLabel,
): Pick<Regime, 'label' | 'confidence'> {
  const cast = Object.values(votes).filter(v => careful.some(label => label === v));
  const countOf = (label: RegimeLabel): number => cast.filter(v => v === label).length;
  if (cast.length === 0) return { label: previous, confidence: 0 };
  const label = careful.reduce((best, next) => (countOf(next) > countOf(best) ? next : best));
  return { label, confidence: countOf(label) / cast.length };
}

/** The regime that the measures vote for; `previous` stands where nothing votes. */
export function classify(
  measures: Measures,
  previous: RegimeLabel,
  settings: RegimeSettings,
): Omit<Regime, 'universe' | 'time'> {
  const { seen, volatility, breadth, thrust } = measures;
  const needed = Math.max(settings.quorum, Math.ceil((seen * settings.quorumPercent) / 100));
  const shares = { volatility: median(volatility), breadth: shareOf(breadth), thrust: shareOf(thrust) };
  const votes: PerMeasure<RegimeVote> = {
    volatility: vote(shares.volatility, volatility.length, needed, {
      ...settings.volatility,
      above: 'high_vol',
      else: 'abstain',
    }),
    breadth: vote(shares.breadth, breadth.length, needed, {
      ...settings.breadth,
      above: 'trending_bull',
      else: 'choppy',
    }),
    thrust: vote(shares.thrust, thrust.length, needed, {
      ...settings.thrust,
      above: 'trending_bull',
      else: 'abstain',
    }),
  };
  const counts = {
    seen,
    needed,
    volatility: volatility.length,
    breadth: breadth.length,
    thrust: thrust.length,
  };
  return { ...winnerOf(votes, previous), shares, votes, counts };
}
