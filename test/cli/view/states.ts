import { evaluateGates } from '../../../pipelines/gate-rules.ts';
import { defaultGateSettings } from '../../../pipelines/gate-settings.ts';
import type { Regime } from '../../../pipelines/regime-value.ts';
import { onScore, seedSignals } from '../../../pipelines/signal-rules.ts';
import { defaultSignalSettings } from '../../../pipelines/signal-settings.ts';
import type { EntrySignal, ExitSignal, Signal } from '../../../pipelines/signal-value.ts';
import type { LiveState, PipelineView, WarmUpView } from '../../../src/cli/view/live-state.ts';
import type { PipelineStatus } from '../../../src/runtime/pipeline-status.ts';
import { liquid, score } from '../../pipelines/scores-at-hand.ts';

export const hour = 3_600_000;
export const now: number = Date.UTC(2026, 0, 14, 9, 31, 7);

/** Entry and exit as the rules make them. */
export function entryAndExit(
  symbol = 'SOL-USDT',
  time: number = now - 7 * hour,
  price = 141.52,
): { entry: EntrySignal; exit: ExitSignal } {
  const state = seedSignals();
  const first = score({
    symbol,
    time,
    price,
    atr: price / 80,
    score: 82.14,
    regime: 'trending_bull',
    regimeTime: time,
  });
  const book = { ...liquid, symbol, time };
  const idFor = (kind: Signal['kind'], at: number): string =>
    `${kind === 'entry' ? '3fa94c21' : 'b07d11e9'}${symbol.length}${String(at).padStart(23, '0')}`;
  const gates = evaluateGates(first, book, defaultGateSettings);
  const [entry] = onScore(state, first, gates, defaultSignalSettings, idFor);
  const later = score({ symbol, time: time + 6 * hour, price: price * 1.043, score: 21.3 });
  const [exit] = onScore(state, later, undefined, defaultSignalSettings, idFor);
  if (entry?.kind !== 'entry' || exit?.kind !== 'exit') throw new Error('the rules gave no entry and exit');
  return { entry, exit };
}

export function status(name: string, rest: Partial<PipelineStatus> = {}): PipelineStatus {
  return {
    name,
    phase: 'running',
    consumed: 812_345,
    published: 40_112,
    deadLettered: 0,
    leftOut: 0,
    retried: 0,
    inFlight: 256,
    lag: 1_204,
    watermark: now - 2_100,
    eventTime: now,
    restarts: 0,
    problem: undefined,
    stuckAt: undefined,
    circuits: new Map(),
    circuitOpenings: 0,
    snapshots: 4,
    keys: new Map([['aggregate', 12]]),
    ...rest,
  };
}

export function pipelineView(name: string, rest: Partial<PipelineStatus> = {}): PipelineView {
  return { status: status(name, rest), inPerSecond: 84_312, outPerSecond: 1_410.4, lagMs: 2_100 };
}

export const regime: Regime = {
  universe: 'all',
  time: now - 5 * hour,
  label: 'trending_bull',
  confidence: 2 / 3,
  shares: { volatility: 0.312, breadth: 0.75, thrust: 0.83 },
  votes: { volatility: 'high_vol', breadth: 'trending_bull', thrust: 'trending_bull' },
  counts: { volatility: 12, breadth: 12, thrust: 12, seen: 12, needed: 6 },
};

const symbols = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'ADA', 'AVAX', 'LINK', 'DOT', 'ATOM', 'ALGO', 'KSM'];

export function warmUps(known = 3, progress = 0.62): WarmUpView[] {
  return symbols.map((base, index) => ({
    venue: 'simulator',
    symbol: `${base}-USDT`,
    known: index === 0 ? 5 : known,
    needed: 5,
    missing: index === 0 ? [] : index > 8 ? ['R_24h', 'ATR'] : ['R_24h'],
    progress: Math.max(0, progress - index * 0.03),
  }));
}

const names = ['bars', 'liquidity', 'regime', 'momentum', 'gates', 'signals', 'notifications'];

/** A run in the middle of its history. */
export function stateOf(rest: Partial<LiveState> = {}): LiveState {
  const sol = entryAndExit();
  const doge = entryAndExit('DOGE-USDT', now - 20 * hour, 0.14623);
  return {
    phase: 'history',
    title: 'main on embedded',
    now,
    elapsedMs: 42_300,
    feed: {
      name: 'simulator, 12 symbols, 10 days, seed 7',
      progress: 0.624,
      items: 1_204_881,
      perSecond: 84_312,
      timeLeftMs: 21_400,
      eventTime: now - 4 * 24 * hour,
    },
    pipelines: names.map(name => pipelineView(name)),
    warmUps: warmUps(),
    regime,
    signals: [sol.exit, sol.entry, doge.exit, doge.entry],
    tallies: [
      { venue: 'simulator', symbol: 'SOL-USDT', entries: 1, exits: 1 },
      { venue: 'simulator', symbol: 'DOGE-USDT', entries: 1, exits: 1 },
    ],
    counts: { malformed: 3, deadLetters: 2, feedDeadLetters: 0, late: 14 },
    deadLetters: [
      { reason: 'MarketPrice: price -1 is not above 0', count: 1 },
      { reason: 'not JSON: Unexpected end of JSON input', count: 1 },
    ],
    problems: [],
    directory: './cryptorun-data',
    explainCommand: 'cryptorun explain',
    ...rest,
  };
}
