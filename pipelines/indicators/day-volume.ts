import * as t from 'io-ts';
import { minuteMs } from '../bar-window.ts';
import { numberOrNull } from '../number-codecs.ts';
import { ringOfNumbers } from '../state-json.ts';

const minutesOfHour = 60;
const minutesOfDay = 1440;
/** A day reaches into 25 clock hours. */
const hoursHeld = 25;
const minutesHeld = hoursHeld * minutesOfHour;

/**
 * A sum over the last 24 hours of minutes. Kept as sums of clock hours: a running sum with subtraction
 * would drift, and would depend on all that ever happened instead of the last day.
 */
export interface DayVolume {
  /** Minutes since the epoch of the last value. */
  lastMinute: number | null;
  readonly minutes: Float64Array;
  readonly hours: Float64Array;
}

export const DayVolume: t.Type<DayVolume, unknown> = t.type({
  lastMinute: numberOrNull,
  minutes: ringOfNumbers,
  hours: ringOfNumbers,
});

/** Nothing seen yet. */
export function seedDayVolume(): DayVolume {
  return { lastMinute: null, minutes: new Float64Array(minutesHeld), hours: new Float64Array(hoursHeld) };
}

function clearHour(day: DayVolume, hour: number): void {
  const slot = hour % hoursHeld;
  day.hours[slot] = 0;
  day.minutes.fill(0, slot * minutesOfHour, (slot + 1) * minutesOfHour);
}

/** Adds the value of the minute that ended at `end` ms, later than all before it, in place. */
export function addToDay(day: DayVolume, end: number, value: number): void {
  const minute = end / minuteMs;
  const hour = Math.floor(minute / minutesOfHour);
  const lastHour = Math.floor((day.lastMinute ?? -1) / minutesOfHour);
  for (let h = Math.max(lastHour + 1, hour - hoursHeld + 1); h <= hour; h++) clearHour(day, h);
  day.minutes[minute % minutesHeld] = value;
  const slot = hour % hoursHeld;
  day.hours[slot] = (day.hours[slot] ?? 0) + value;
  day.lastMinute = minute;
}

/** The sum over minutes ending in (t - 24h, t], where t is the last one added; 0 before the first. */
export function daySum(day: DayVolume): number {
  if (day.lastMinute === null) return 0;
  const first = day.lastMinute - minutesOfDay + 1;
  const firstWholeHour = Math.ceil(first / minutesOfHour);
  const lastHour = Math.floor(day.lastMinute / minutesOfHour);
  let sum = 0;
  for (let m = first; m < firstWholeHour * minutesOfHour; m++) sum += day.minutes[m % minutesHeld] ?? 0;
  for (let h = firstWholeHour; h <= lastHour; h++) sum += day.hours[h % hoursHeld] ?? 0;
  return sum;
}
