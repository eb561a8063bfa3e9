/** Time as a live feed needs it; tests bring their own. */
export interface Timers {
  /** Now, ms since the epoch. */
  now(): number;
  /** Calls once after a delay; the returned function takes it back. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  after(delayMs, run): () => void {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
