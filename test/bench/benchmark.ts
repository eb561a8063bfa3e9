/** What one run of one side of a benchmark found. */
export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  /** Processor time of all threads, seconds. */
  readonly cpuSeconds: number;
  /** From when a message was to be sent until it was consumed, ms. */
  readonly latency?: { readonly p50: number; readonly p99: number };
  /** What else is worth showing, in words. */
  readonly note?: string;
}

/** Why a run did not take place. */
export interface Skipped {
  readonly skipped: string;
}

/** How much a run may take: a smoke run only shows that it works. */
export interface Effort {
  readonly smoke: boolean;
}

/** One side of a benchmark; runs alone in a process of its own. */
export type Work = (effort: Effort) => Measured | Skipped | Promise<Measured | Skipped>;

export interface Benchmark {
  readonly name: string;
  /** What the subject is held to; `perSecond` in messages, `p99` in ms, `rss` in MB above Node's own. */
  readonly goal?: { readonly perSecond?: number; readonly p99?: number; readonly rss?: number };
  readonly subject: Work;
  /** The same done without us. */
  readonly twin?: { readonly name: string; readonly work: Work };
}
