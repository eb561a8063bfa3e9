export interface BackoffOptions {
  /** Longest wait before the first attempt. Default 500 ms. */
  readonly firstMs?: number;
  /** Longest wait at all. Default 30 s. */
  readonly maxMs?: number;
}

/**
 * How long to wait before an attempt to connect again: between half and all of a wait that doubles, so that
 * clients which lost a venue together do not come back together.
 * @param attempt from 0
 * @param random 0 to 1
 */
export function backoffMs(attempt: number, random: number, options: BackoffOptions = {}): number {
  const { firstMs = 500, maxMs = 30_000 } = options;
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(whole * (0.5 + random / 2));
}
