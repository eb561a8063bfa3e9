import type { GateEvaluation } from '../../pipelines/gate-evaluation.ts';
import { evaluateGates, needsEvaluation } from '../../pipelines/gate-rules.ts';
import {
  type MarketBar,
  type MarketSettings,
  type MomentumScore,
  type Notification,
  type Regime,
  type Signal,
  defaultGateSettings,
  defaultMomentumSettings,
  defaultRegimeSettings,
  defaultSignalSettings,
} from '../../pipelines/index.ts';
import { scoreBar } from '../../pipelines/momentum-score.ts';
import { seedMomentum } from '../../pipelines/momentum-state.ts';
import { notify, seedNotifications } from '../../pipelines/notification-text.ts';
import { addRegimeBar, classifyAt, nextBoundary, seedRegime } from '../../pipelines/regime-state.ts';
import { onScore, seedSignals } from '../../pipelines/signal-rules.ts';
import { deriveId } from '../../src/index.ts';

const boundaryMs = 4 * 3_600_000;

/** What follows from closed bars, by topic and key; each in its order, as JSON text. */
export type Direct = Readonly<Record<string, readonly string[]>>;

/** The regime of each boundary up to a time, from all bars in order of time. */
function regimesOf(bars: readonly MarketBar[], until: number, settings: MarketSettings): Regime[] {
  const { regime = defaultRegimeSettings } = settings;
  const state = seedRegime('all');
  const regimes: Regime[] = [];
  const waiting = [...bars];
  const first = waiting[0];
  if (first === undefined) return regimes;
  for (let boundary = nextBoundary(first.end); boundary <= until; boundary += boundaryMs) {
    const later = waiting.findIndex(({ end }) => end > boundary);
    for (const bar of waiting.splice(0, later < 0 ? waiting.length : later)) addRegimeBar(state, bar, regime);
    const classified = classifyAt(state, boundary, regime);
    if (classified) regimes.push(classified);
  }
  return regimes;
}

interface OfSymbol {
  readonly scores: MomentumScore[];
  readonly evaluations: GateEvaluation[];
  readonly signals: Signal[];
  readonly notifications: Notification[];
}

/** Everything of one symbol at one venue, one bar after the other. */
function followSymbol(
  bars: readonly MarketBar[],
  regimes: ReadonlyMap<number, Regime>,
  settings: MarketSettings,
): OfSymbol {
  const { momentum = defaultMomentumSettings, gates = defaultGateSettings } = settings;
  const { signals: signalSettings = defaultSignalSettings } = settings;
  const result: OfSymbol = { scores: [], evaluations: [], signals: [], notifications: [] };
  const [state, open, told] = [seedMomentum(momentum), seedSignals(), seedNotifications()];
  for (const bar of bars) {
    const regime = regimes.get(Math.floor(bar.end / boundaryMs) * boundaryMs);
    const asOf = { label: regime?.label ?? 'unknown', time: regime?.time ?? null } as const;
    const score = scoreBar(state, bar, asOf, momentum);
    if (score === undefined) continue;
    result.scores.push(score);
    const evaluation = needsEvaluation(score, gates)
      ? evaluateGates(score, 'not-carried', gates, true)
      : undefined;
    if (evaluation) result.evaluations.push(evaluation);
    const { symbol, venue } = score;
    const idFor = (kind: string, time: number): string =>
      deriveId('signals', 'cryptorun-signals', symbol, time, `${kind} ${venue}`);
    for (const signal of onScore(open, score, evaluation, signalSettings, idFor)) {
      result.signals.push(signal);
      const notification = notify(told, signal, signalSettings);
      if (notification) result.notifications.push(notification);
    }
  }
  return result;
}

/**
 * What the chain must give for these bars (in order of time) of a feed of bars alone, from the pure functions,
 * without a bus.
 *
 * @param until event time at which the feed ended, ms
 */
export function directly(bars: readonly MarketBar[], until: number, settings: MarketSettings): Direct {
  const regimes = regimesOf(bars, until, settings);
  const byTime = new Map(regimes.map(regime => [regime.time, regime]));
  const lines: Record<string, string[]> = {};
  const write = (topic: string, of: { readonly venue: string; readonly symbol: string }): void => {
    (lines[`cryptorun-${topic} ${of.venue} ${of.symbol}`] ??= []).push(JSON.stringify(of));
  };
  lines['cryptorun-regime-detection'] = regimes.map(regime => JSON.stringify(regime));
  for (const ofSymbol of Map.groupBy(bars, ({ venue, symbol }) => `${venue} ${symbol}`).values()) {
    const { scores, evaluations, signals, notifications } = followSymbol(ofSymbol, byTime, settings);
    for (const score of scores) write('momentum-scores', score);
    for (const evaluation of evaluations) write('gate-evaluations', evaluation);
    for (const signal of signals) write('signals', signal);
    for (const notification of notifications) write('notifications', notification);
  }
  return lines;
}

/** What a run gave, in the form of {@link directly}. */
export function asDirect(outputs: Readonly<Record<string, readonly string[]>>): Direct {
  const lines: Record<string, string[]> = {};
  for (const [name, told] of Object.entries(outputs)) {
    const [topic = ''] = name.split(' ');
    if (/market-/.test(topic)) continue;
    for (const line of told) {
      const payload = line.split(' ').slice(2).join(' ');
      const { venue, symbol } = JSON.parse(payload) as { venue?: string; symbol?: string };
      const at = venue === undefined ? topic : `${topic} ${venue} ${symbol ?? ''}`;
      (lines[at] ??= []).push(payload);
    }
  }
  return lines;
}
