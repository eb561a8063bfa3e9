/** Where a supervised worker stands. */
export interface WorkerStatus {
  readonly name: string;
  /** `waiting`: it died, and is started again after a while. */
  readonly phase: 'starting' | 'ready' | 'not-ready' | 'draining' | 'waiting' | 'stopped';
  readonly pid?: number;
  readonly url?: string;
  /** How often it was started again after it had died. */
  readonly restarts: number;
  /** Why it is not ready. */
  readonly reasons: readonly string[];
}

/** The same, with what it tells of itself. */
export interface WorkerReport extends WorkerStatus {
  /** The feeds that it runs. */
  readonly feeds: readonly string[];
}
