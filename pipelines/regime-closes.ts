import * as t from 'io-ts';
import { dayMs, hourMs, minuteMs, windowEnd } from './bar-window.ts';
import { numberOrNull } from './number-codecs.ts';
import type { RegimeSettings } from './regime-settings.ts';

/**
 * What the regime remembers of one symbol at one venue; JSON-safe. Of a longer bar only its close matters,
 * and that is the close of its last 1m bar: the last entry of each list may still be replaced.
 */
export interface SymbolCloses {
  /** The last bar received, ms: an older one is a repetition. */
  receivedEnd: number | null;
  /** The last bar taken into the lists, ms. */
  lastEnd: number | null;
  readonly hourEnds: number[];
  readonly hourCloses: number[];
  readonly fourHourEnds: number[];
  readonly fourHourCloses: number[];
  /** When the last 1m bar in each 4h bar ended, ms. */
  readonly fourHourLastEnds: number[];
  /** Bars past the next boundary, not yet taken in. */
  readonly laterEnds: number[];
  readonly laterCloses: number[];
}

const numbers = t.array(t.number);

export const SymbolCloses: t.Type<SymbolCloses> = t.type({
  receivedEnd: numberOrNull,
  lastEnd: numberOrNull,
  hourEnds: numbers,
  hourCloses: numbers,
  fourHourEnds: numbers,
  fourHourCloses: numbers,
  fourHourLastEnds: numbers,
  laterEnds: numbers,
  laterCloses: numbers,
});

/** A symbol of which nothing is known yet. */
export function seedCloses(): SymbolCloses {
  return {
    receivedEnd: null,
    lastEnd: null,
    hourEnds: [],
    hourCloses: [],
    fourHourEnds: [],
    fourHourCloses: [],
    fourHourLastEnds: [],
    laterEnds: [],
    laterCloses: [],
  };
}

/** Puts a close under its window: over the last entry where that is the same window, else behind it. */
function place(ends: number[], closes: number[], end: number, close: number, most: number): void {
  if (ends.at(-1) !== end) {
    ends.push(end);
    if (ends.length > most) {
      ends.shift();
      closes.shift();
    }
  } else closes.pop();
  closes.push(close);
}

/** Takes a 1m close into the lists, in place; later than all before it. */
export function takeClose(closes: SymbolCloses, end: number, close: number, settings: RegimeSettings): void {
  const fourHourEnd = windowEnd(end, 4 * hourMs);
  if (closes.fourHourEnds.at(-1) === fourHourEnd) closes.fourHourLastEnds.pop();
  closes.fourHourLastEnds.push(end);
  if (closes.fourHourLastEnds.length > settings.breadth.closes) closes.fourHourLastEnds.shift();
  place(closes.fourHourEnds, closes.fourHourCloses, fourHourEnd, close, settings.breadth.closes);
  place(closes.hourEnds, closes.hourCloses, windowEnd(end, hourMs), close, settings.volatility.hours);
  closes.lastEnd = end;
}

/** Takes in the waiting bars that ended at or before `time`, in place. */
export function takeLater(closes: SymbolCloses, time: number, settings: RegimeSettings): void {
  let taken = 0;
  for (const end of closes.laterEnds) {
    if (end > time) break;
    takeClose(closes, end, closes.laterCloses[taken] ?? NaN, settings);
    taken += 1;
  }
  closes.laterEnds.splice(0, taken);
  closes.laterCloses.splice(0, taken);
}

/** P at a 4h boundary; null where the last 1m bar before it is stale or no longer held. */
function priceAtBoundary(closes: SymbolCloses, boundary: number, settings: RegimeSettings): number | null {
  const at = closes.fourHourEnds.lastIndexOf(boundary);
  const close = closes.fourHourCloses[at];
  const lastEnd = closes.fourHourLastEnds[at];
  if (close === undefined || lastEnd === undefined) return null;
  return boundary - lastEnd > settings.staleMinutes * minuteMs ? null : close;
}

/** Whether P lies above the mean of the last 4h closes; null where either is unknown. */
export function isAboveMean(
  closes: SymbolCloses,
  boundary: number,
  settings: RegimeSettings,
): boolean | null {
  const price = priceAtBoundary(closes, boundary, settings);
  const held = closes.fourHourCloses;
  if (price === null || held.length < settings.breadth.closes) return null;
  return price > held.reduce((sum, close) => sum + close, 0) / held.length;
}

/** Whether P lies above P a day before; null where either is unknown. */
export function roseInADay(closes: SymbolCloses, boundary: number, settings: RegimeSettings): boolean | null {
  const now = priceAtBoundary(closes, boundary, settings);
  const before = priceAtBoundary(closes, boundary - dayMs, settings);
  return now === null || before === null ? null : now / before - 1 > 0;
}

/**
 * The sample deviation of log returns between consecutive 1h closes of the span, scaled to that span by
 * the square root of its hours; null with too few returns.
 */
export function volatilityOf(
  closes: SymbolCloses,
  boundary: number,
  settings: RegimeSettings,
): number | null {
  const { hours, minReturns } = settings.volatility;
  const held = closes.hourCloses.filter((_, i) => (closes.hourEnds[i] ?? 0) > boundary - hours * hourMs);
  const returns = held.slice(1).map((close, i) => Math.log(close / (held[i] ?? NaN)));
  if (returns.length < minReturns) return null;
  const mean = returns.reduce((sum, r) => sum + r, 0) / returns.length;
  const squares = returns.reduce((sum, r) => sum + (r - mean) ** 2, 0);
  return Math.sqrt(squares / (returns.length - 1)) * Math.sqrt(hours);
}
