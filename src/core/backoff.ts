import { finiteNumber, OptionError } from './option.ts';

/**
 * How a delay is spread, so that many who failed together do not come back together:
 * - `none`: the delay itself;
 * - `equal`: between half of it and all of it;
 * - `full`: between nothing and all of it;
 * - `decorrelated`: between the first delay and three times the one before.
 */
export type Jitter = 'none' | 'equal' | 'full' | 'decorrelated';

/** How long to wait before the next attempt. */
export interface BackoffOptions {
  /** The first delay, ms; default 100. */
  readonly firstDelayMs?: number;
  /** By how much each delay is longer than the one before; default 2. */
  readonly factor?: number;
  /** No delay is longer, ms; default 10 000. */
  readonly maxDelayMs?: number;
  /** Default `equal`: `full` may not wait at all, and then three retries are soon spent. */
  readonly jitter?: Jitter;
  /** From 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Delays that grow by a factor up to a bound: 100, 200, 400 ms, ... The kinds of jitter are those of
 * "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 */
export class Backoff {
  readonly #firstDelayMs: number;
  readonly #factor: number;
  /** No delay is longer, ms. */
  readonly longestMs: number;
  readonly #jitter: Jitter;
  readonly #random: () => number;

  /**
   * @param owner the name of the operator, for errors
   * @throws OptionError for a delay or factor out of its range
   */
  constructor(owner: string, options: BackoffOptions = {}) {
    const { firstDelayMs = 100, factor = 2, maxDelayMs = 10_000, jitter = 'equal' } = options;
    this.#firstDelayMs = finiteNumber(`${owner}.firstDelayMs`, firstDelayMs, 0);
    this.#factor = finiteNumber(`${owner}.factor`, factor, 1);
    this.longestMs = finiteNumber(`${owner}.maxDelayMs`, maxDelayMs, firstDelayMs);
    if (!['none', 'equal', 'full', 'decorrelated'].includes(jitter)) {
      throw new OptionError(`${owner}.jitter`, jitter, 'none, equal, full or decorrelated');
    }
    this.#jitter = jitter;
    this.#random = options.random ?? Math.random;
  }

  /**
   * @param attempt how many have failed so far, from 1
   * @param beforeMs the delay before this one, for decorrelated jitter; undefined for the first
   * @returns ms, whole
   */
  delayMs(attempt: number, beforeMs?: number): number {
    const boundMs = Math.min(this.longestMs, this.#firstDelayMs * this.#factor ** (attempt - 1));
    return Math.round(this.#spread(boundMs, beforeMs ?? this.#firstDelayMs));
  }

  #spread(boundMs: number, beforeMs: number): number {
    switch (this.#jitter) {
      case 'none':
        return boundMs;
      case 'equal':
        return boundMs / 2 + this.#random() * (boundMs / 2);
      case 'full':
        return this.#random() * boundMs;
      case 'decorrelated':
        return Math.min(
          this.longestMs,
          this.#firstDelayMs + this.#random() * (beforeMs * 3 - this.#firstDelayMs),
        );
    }
  }
}
