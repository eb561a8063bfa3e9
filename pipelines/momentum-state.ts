import * as t from 'io-ts';
import { StateRefused, decodeState } from '../src/index.ts';
import { type Rollup as RollupState, type PlainBar, Rollup, rollUp, seedRollup } from './bar-rollup.ts';
import { dayMs, hourMs, minuteMs } from './bar-window.ts';
import { CloseHistory, addToHistory, seedHistory } from './indicators/close-history.ts';
import { DayVolume, addToDay, seedDayVolume } from './indicators/day-volume.ts';
import { Hurst, addToHurst, seedHurst } from './indicators/hurst.ts';
import { Vadr, addToVadr, seedVadr } from './indicators/vadr.ts';
import { WilderAdx, addToAdx, seedAdx } from './indicators/wilder-adx.ts';
import { WilderAtr, addToAtr, seedAtr } from './indicators/wilder-atr.ts';
import { WilderRsi, addToRsi, seedRsi } from './indicators/wilder-rsi.ts';
import { type MarketBar, requireMinuteBar } from './market-bar.ts';
import { IndicatorSettings, type MomentumSettings } from './momentum-settings.ts';
import { numberOrNull } from './number-codecs.ts';
import { encodeState } from './state-json.ts';

/** Everything that momentum remembers of one symbol at one venue. One owner; steps change it in place. */
export interface MomentumState {
  /** The settings it was built with. */
  readonly indicators: IndicatorSettings;
  /** Event time, ms, of the first bar's end. */
  firstEnd: number | null;
  /** Event time, ms, of the last bar's end. */
  lastEnd: number | null;
  readonly history: CloseHistory;
  readonly day: DayVolume;
  readonly fourHours: RollupState;
  readonly hours: RollupState;
  readonly atr: WilderAtr;
  readonly adx: WilderAdx;
  readonly rsi: WilderRsi;
  readonly vadr: Vadr;
  readonly hurst: Hurst;
}

const MomentumStateCodec: t.Type<MomentumState, unknown> = t.type({
  indicators: IndicatorSettings,
  firstEnd: numberOrNull,
  lastEnd: numberOrNull,
  history: CloseHistory,
  day: DayVolume,
  fourHours: Rollup,
  hours: Rollup,
  atr: WilderAtr,
  adx: WilderAdx,
  rsi: WilderRsi,
  vadr: Vadr,
  hurst: Hurst,
});

const minutesHeld = (7 * dayMs) / minuteMs;

/** A symbol of which nothing is known yet. */
export function seedMomentum(settings: MomentumSettings): MomentumState {
  const { indicators } = settings;
  return {
    indicators,
    firstEnd: null,
    lastEnd: null,
    history: seedHistory(minutesHeld, indicators.staleMinutes),
    day: seedDayVolume(),
    fourHours: seedRollup(4 * hourMs),
    hours: seedRollup(hourMs),
    atr: seedAtr(indicators.atrBars),
    adx: seedAdx(indicators.adxBars),
    rsi: seedRsi(indicators.rsiBars),
    vadr: seedVadr(indicators.vadrBars),
    hurst: seedHurst(),
  };
}

function addHour(state: MomentumState, bar: PlainBar): void {
  const { hurstBars, hurstLagFrom, hurstLagTo } = state.indicators;
  addToAtr(state.atr, bar);
  addToAdx(state.adx, bar);
  addToVadr(state.vadr, bar);
  addToHurst(state.hurst, bar.close, { bars: hurstBars, lagFrom: hurstLagFrom, lagTo: hurstLagTo });
}

/**
 * Adds a closed 1m bar, in place: longer bars that ended by its end are closed first, longest first.
 * False, and nothing changed, where the bar is not later than the last one (a repetition).
 *
 * @throws RangeError where it is no sound 1m bar; the state is then as it was.
 */
export function addMinuteBar(state: MomentumState, bar: MarketBar): boolean {
  requireMinuteBar(bar);
  if (state.lastEnd !== null && bar.end <= state.lastEnd) return false;
  state.firstEnd ??= bar.end;
  state.lastEnd = bar.end;
  for (const closed of rollUp(state.fourHours, bar)) addToRsi(state.rsi, closed.close);
  for (const closed of rollUp(state.hours, bar)) addHour(state, closed);
  addToHistory(state.history, bar.end, bar.close);
  addToDay(state.day, bar.end, bar.close * bar.volume);
  return true;
}

/** The JSON-safe form of a momentum state (about 150 KB). */
export function encodeMomentum(state: MomentumState): unknown {
  return encodeState(MomentumStateCodec, state);
}

function sameIndicators(a: IndicatorSettings, b: IndicatorSettings): boolean {
  return (
    a.staleMinutes === b.staleMinutes &&
    a.atrBars === b.atrBars &&
    a.rsiBars === b.rsiBars &&
    a.adxBars === b.adxBars &&
    a.vadrBars === b.vadrBars &&
    a.hurstBars === b.hurstBars &&
    a.hurstLagFrom === b.hurstLagFrom &&
    a.hurstLagTo === b.hurstLagTo
  );
}

/**
 * The live state of what {@link encodeMomentum} made.
 *
 * @throws StateRefused where it has another shape, or was built with other indicator settings.
 */
export function decodeMomentum(json: unknown, settings: MomentumSettings): MomentumState {
  const state = decodeState('momentum', MomentumStateCodec, json);
  const fresh = seedMomentum(settings);
  if (!sameIndicators(state.indicators, settings.indicators)) {
    throw new StateRefused('momentum', 'it was built with other indicator settings');
  }
  const rings =
    state.history.closes.length === fresh.history.closes.length &&
    state.day.minutes.length === fresh.day.minutes.length &&
    state.day.hours.length === fresh.day.hours.length;
  if (!rings) throw new StateRefused('momentum', 'a ring has another length');
  return state;
}

/** Whether a live state is momentum's. */
export function isMomentumState(state: unknown): state is MomentumState {
  return MomentumStateCodec.is(state);
}
