import * as t from 'io-ts';
import { decodeState } from '../src/index.ts';
import { hourMs } from './bar-window.ts';
import { type MarketBar, requireMinuteBar } from './market-bar.ts';
import { numberOrNull } from './number-codecs.ts';
import {
  SymbolCloses,
  isAboveMean,
  roseInADay,
  seedCloses,
  takeClose,
  takeLater,
  volatilityOf,
} from './regime-closes.ts';
import { RegimeLabel } from './regime-label.ts';
import type { RegimeSettings } from './regime-settings.ts';
import type { Regime } from './regime-value.ts';
import { type Measures, classify } from './regime-votes.ts';
import { encodeState } from './state-json.ts';

const boundaryMs = 4 * hourMs;

/** Everything that the regime remembers of a universe. One owner; steps change it in place. */
export interface RegimeState {
  readonly universe: string;
  /** The last label. */
  label: RegimeLabel;
  /** The last boundary classified, ms. */
  boundary: number | null;
  /** By venue and symbol. */
  readonly symbols: Map<string, SymbolCloses>;
}

const StoredRegimeState = t.type({
  universe: t.string,
  label: RegimeLabel,
  boundary: numberOrNull,
  symbols: t.array(t.tuple([t.string, SymbolCloses])),
});

/** Nothing seen yet; the label is `unknown`. */
export function seedRegime(universe: string): RegimeState {
  return { universe, label: 'unknown', boundary: null, symbols: new Map() };
}

function closesOf(state: RegimeState, bar: MarketBar, settings: RegimeSettings): SymbolCloses {
  const key = `${bar.venue} ${bar.symbol}`;
  const held = state.symbols.get(key);
  if (held !== undefined) return held;
  if (state.symbols.size >= settings.maxSymbols) {
    throw new RangeError(
      `Regime of ${state.universe} holds ${state.symbols.size} symbols and refuses ${key}. Raise maxSymbols.`,
    );
  }
  const seeded = seedCloses();
  state.symbols.set(key, seeded);
  return seeded;
}

/**
 * Adds a closed 1m bar, in place. Symbols may come in any order, each symbol's bars in order of time; a
 * bar past the next boundary waits, so that {@link classifyAt} does not see it too early. False, and
 * nothing changed, where the bar is not later than the symbol's last one.
 *
 * @throws RangeError where it is no sound 1m bar, or one symbol too many; the state is then as it was.
 */
export function addRegimeBar(state: RegimeState, bar: MarketBar, settings: RegimeSettings): boolean {
  requireMinuteBar(bar);
  const closes = closesOf(state, bar, settings);
  if (closes.receivedEnd !== null && bar.end <= closes.receivedEnd) return false;
  closes.receivedEnd = bar.end;
  if (state.boundary !== null && bar.end <= state.boundary + boundaryMs) {
    takeClose(closes, bar.end, bar.close, settings);
  } else {
    closes.laterEnds.push(bar.end);
    closes.laterCloses.push(bar.close);
  }
  return true;
}

function measuresAt(state: RegimeState, boundary: number, settings: RegimeSettings): Measures {
  const volatility: number[] = [];
  const breadth: boolean[] = [];
  const thrust: boolean[] = [];
  let seen = 0;
  for (const closes of state.symbols.values()) {
    if (closes.lastEnd === null || boundary - closes.lastEnd > settings.seenHours * hourMs) continue;
    seen += 1;
    const deviation = volatilityOf(closes, boundary, settings);
    const above = isAboveMean(closes, boundary, settings);
    const rose = roseInADay(closes, boundary, settings);
    if (deviation !== null) volatility.push(deviation);
    if (above !== null) breadth.push(above);
    if (rose !== null) thrust.push(rose);
  }
  return { seen, volatility, breadth, thrust };
}

/** The first boundary at or after `time` ms. */
export function nextBoundary(time: number): number {
  return Math.ceil(time / boundaryMs) * boundaryMs;
}

/**
 * Classifies the universe as of a boundary, from bars that ended at or before it, in place. To be called
 * once for each boundary in turn, when no such bar can come any more. Undefined where the boundary was
 * classified before.
 *
 * @throws RangeError where `boundary` is no multiple of four hours.
 */
export function classifyAt(
  state: RegimeState,
  boundary: number,
  settings: RegimeSettings,
): Regime | undefined {
  if (boundary % boundaryMs !== 0) {
    throw new RangeError(`Regime of ${state.universe}: ${boundary} is no 4h boundary. Round it up to one.`);
  }
  if (state.boundary !== null && boundary <= state.boundary) return undefined;
  for (const closes of state.symbols.values()) takeLater(closes, boundary, settings);
  const result = classify(measuresAt(state, boundary, settings), state.label, settings);
  state.label = result.label;
  state.boundary = boundary;
  for (const closes of state.symbols.values()) takeLater(closes, boundary + boundaryMs, settings);
  return { universe: state.universe, time: boundary, ...result };
}

/** The JSON-safe form of a regime state (about 6 KB a symbol). */
export function encodeRegime(state: RegimeState): unknown {
  return encodeState(StoredRegimeState, { ...state, symbols: [...state.symbols] });
}

/**
 * The live state of what {@link encodeRegime} made.
 *
 * @throws StateRefused where it has another shape.
 */
export function decodeRegime(json: unknown): RegimeState {
  const stored = decodeState('regime', StoredRegimeState, json);
  return { ...stored, symbols: new Map(stored.symbols) };
}
