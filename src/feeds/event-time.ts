/** 2100-01-01: what lies beyond is a mistaken unit, and would carry the clock of everything away. */
const endOfTime = 4_102_444_800_000;

/** Whether a number can be an event time in ms. */
export function isEventTime(time: number): boolean {
  return Number.isFinite(time) && time > 0 && time < endOfTime;
}

/** One minute, ms: recordings say their time items at each. */
export const minuteMs = 60_000;

/** The latest whole minute at or before a time. */
export function minuteAt(time: number): number {
  return Math.floor(time / minuteMs) * minuteMs;
}
