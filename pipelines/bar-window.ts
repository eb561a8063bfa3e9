/** Milliseconds of a minute. */
export const minuteMs = 60_000;
/** Milliseconds of an hour. */
export const hourMs = 3_600_000;
/** Milliseconds of a day. */
export const dayMs = 86_400_000;

/**
 * The end of the window that holds an event time, where windows are tumbling, aligned to the UTC epoch,
 * and hold `start < time <= end`: a time on the border belongs to the window that ends there.
 */
export function windowEnd(time: number, sizeMs: number): number {
  return Math.ceil(time / sizeMs) * sizeMs;
}
