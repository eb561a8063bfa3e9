import * as t from 'io-ts';
import { decodeState } from '../src/index.ts';
import { hourMs } from './bar-window.ts';
import type { GateEvaluation } from './gate-evaluation.ts';
import { partsOf } from './momentum-parts.ts';
import type { MomentumScore } from './momentum-value.ts';
import { numberOrNull } from './number-codecs.ts';
import type { SignalSettings } from './signal-settings.ts';
import type { EntrySignal, ExitReason, ExitSignal, Signal } from './signal-value.ts';
import { exitInWords, largestContributions } from './signal-words.ts';
import { encodeState } from './state-json.ts';

/** Names a signal; the same for the same kind and time, whenever it is asked. */
export type IdFor = (kind: Signal['kind'], time: number) => string;

interface OpenSignal {
  readonly id: string;
  /** Event time of the entry, ms. */
  readonly time: number;
  readonly price: number;
  readonly stopPrice: number;
}

/** What signals remember of one symbol at one venue; JSON-safe. One owner; steps change it in place. */
export interface SignalState {
  /** Event time of the last score, ms. */
  lastTime: number | null;
  open: OpenSignal | null;
  /** Event time of the last exit, ms. */
  exitTime: number | null;
}

const SignalStateCodec: t.Type<SignalState> = t.type({
  lastTime: numberOrNull,
  open: t.union([t.type({ id: t.string, time: t.number, price: t.number, stopPrice: t.number }), t.null]),
  exitTime: numberOrNull,
});

/** No signal open, none cooling down. */
export function seedSignals(): SignalState {
  return { lastTime: null, open: null, exitTime: null };
}

function exitReason(
  open: OpenSignal,
  score: MomentumScore,
  settings: SignalSettings,
): ExitReason | undefined {
  if (score.low <= open.stopPrice) return 'stop';
  if (score.score < settings.exitBelow) return 'momentum lost';
  return score.time - open.time >= settings.timeLimitHours * hourMs ? 'time limit' : undefined;
}

function exitOf(
  open: OpenSignal,
  score: MomentumScore,
  reason: ExitReason,
  settings: SignalSettings,
  idFor: IdFor,
): ExitSignal {
  const { venue, symbol, time, price, regime, low } = score;
  const heldHours = (time - open.time) / hourMs;
  const { stopPrice } = open;
  const facts = { exitReason: reason, low, stopPrice, score: score.score, exitBelow: settings.exitBelow };
  return {
    id: idFor('exit', time),
    venue,
    symbol,
    kind: 'exit',
    direction: 'long',
    time,
    price,
    score: score.score,
    regime,
    exitReason: reason,
    entryId: open.id,
    entryTime: open.time,
    entryPrice: open.price,
    return: price / open.price - 1,
    reasons: [exitInWords({ ...facts, heldHours })],
  };
}

function entryOf(
  score: MomentumScore,
  evaluation: GateEvaluation,
  settings: SignalSettings,
  idFor: IdFor,
): EntrySignal {
  const { venue, symbol, time, price, regime } = score;
  const parts = partsOf(score.parts);
  return {
    id: idFor('entry', time),
    venue,
    symbol,
    kind: 'entry',
    direction: 'long',
    time,
    price,
    score: score.score,
    regime,
    stopPrice: price - settings.stopAtrs * score.atr,
    gates: evaluation.gates,
    parts,
    reasons: largestContributions(parts),
  };
}

function requireMatch(score: MomentumScore, evaluation: GateEvaluation | undefined): void {
  if (evaluation === undefined) return;
  const { venue, symbol, time } = evaluation;
  if (venue === score.venue && symbol === score.symbol && time === score.time) return;
  throw new RangeError(
    `Signals of ${score.symbol} at ${score.venue}, ${score.time}: the evaluation is of ${symbol} at ${venue}, ` +
      `${time}. Join each score with the evaluation of the same time.`,
  );
}

function onOpen(
  state: SignalState,
  open: OpenSignal,
  score: MomentumScore,
  settings: SignalSettings,
  idFor: IdFor,
): Signal[] {
  const reason = exitReason(open, score, settings);
  if (reason === undefined) return [];
  state.open = null;
  state.exitTime = score.time;
  return [exitOf(open, score, reason, settings, idFor)];
}

/** Whether a score without an evaluation would only be passed by. */
export function isIdle(state: SignalState): boolean {
  return state.open === null;
}

/** What {@link onScore} does with a score of this time that has no evaluation while nothing is open. */
export function passBy(state: SignalState, time: number): void {
  state.lastTime = Math.max(state.lastTime ?? time, time);
}

/**
 * One score, with its evaluation where it has one: the entry or the exit that follows from it, if any.
 * Changes the state in place; a score not later than the last one is ignored.
 *
 * @throws RangeError where the evaluation is of another score; the state is then as it was.
 */
export function onScore(
  state: SignalState,
  score: MomentumScore,
  evaluation: GateEvaluation | undefined,
  settings: SignalSettings,
  idFor: IdFor,
): Signal[] {
  requireMatch(score, evaluation);
  if (state.lastTime !== null && score.time <= state.lastTime) return [];
  state.lastTime = score.time;
  if (state.open !== null) return onOpen(state, state.open, score, settings, idFor);
  const coolsDown = state.exitTime !== null && score.time - state.exitTime <= settings.coolDownHours * hourMs;
  if (coolsDown || evaluation?.passed !== true) return [];
  const entry = entryOf(score, evaluation, settings, idFor);
  state.open = { id: entry.id, time: entry.time, price: entry.price, stopPrice: entry.stopPrice };
  return [entry];
}

/** The JSON-safe form of a signal state. */
export function encodeSignals(state: SignalState): unknown {
  return encodeState(SignalStateCodec, state);
}

/**
 * The live state of what {@link encodeSignals} made.
 *
 * @throws StateRefused where it has another shape.
 */
export function decodeSignals(json: unknown): SignalState {
  return decodeState('signal', SignalStateCodec, json);
}
