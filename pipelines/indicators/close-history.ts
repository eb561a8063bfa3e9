import * as t from 'io-ts';
import { minuteMs } from '../bar-window.ts';
import { numberOrNull } from '../number-codecs.ts';
import { ringOfNumbers } from '../state-json.ts';

/** The closes of the last minutes, so that P(t) can be asked for any of them. */
export interface CloseHistory {
  /** A close older than this at `t` does not tell P(t). */
  readonly staleMinutes: number;
  /** Minutes since the epoch of the last close. */
  lastMinute: number | null;
  /** By minute modulo its length; NaN where no bar ended. */
  readonly closes: Float64Array;
}

export const CloseHistory: t.Type<CloseHistory, unknown> = t.type({
  staleMinutes: t.number,
  lastMinute: numberOrNull,
  closes: ringOfNumbers,
});

/** Room to ask for P of the last `minutes`, each answered by a close up to `staleMinutes` older. */
export function seedHistory(minutes: number, staleMinutes: number): CloseHistory {
  const closes = new Float64Array(minutes + staleMinutes + 1).fill(NaN);
  return { staleMinutes, lastMinute: null, closes };
}

/** Adds the close of the minute that ended at `end` ms, later than all before it, in place. */
export function addToHistory(history: CloseHistory, end: number, close: number): void {
  const { closes, lastMinute } = history;
  const minute = end / minuteMs;
  const firstSkipped = Math.max((lastMinute ?? minute) + 1, minute - closes.length + 1);
  for (let skipped = firstSkipped; skipped < minute; skipped++) closes[skipped % closes.length] = NaN;
  closes[minute % closes.length] = close;
  history.lastMinute = minute;
}

/** P(t): the close of the last bar that ended at or before `time` ms; null where it is stale or not held. */
export function priceAt(history: CloseHistory, time: number): number | null {
  const { closes, lastMinute, staleMinutes } = history;
  if (lastMinute === null) return null;
  const newest = Math.min(Math.floor(time / minuteMs), lastMinute);
  const oldest = Math.max(Math.ceil(time / minuteMs) - staleMinutes, lastMinute - closes.length + 1);
  for (let minute = newest; minute >= oldest; minute--) {
    const close = closes[minute % closes.length] ?? NaN;
    if (close > 0) return close;
  }
  return null;
}

/** R: the share by which P(time) lies above P(time - spanMs); null where either is unknown. */
export function returnOver(history: CloseHistory, time: number, spanMs: number): number | null {
  const now = priceAt(history, time);
  const before = priceAt(history, time - spanMs);
  return now === null || before === null ? null : now / before - 1;
}
