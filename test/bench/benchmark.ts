/** What one run of one side of a benchmark found. */
export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  /** Processor time of all threads, seconds; undefined where others did the work. */
  readonly cpuSeconds: number | undefined;
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

/** What a subject is held to. */
export interface Goal {
  /** Messages. */
  readonly perSecond?: number;
  /** Of the speed of the twin, at least. */
  readonly ofTwin?: number;
  /** Ms. */
  readonly p99?: number;
  /** MB above Node's own. */
  readonly rss?: number;
  /** All that the run may take, s. */
  readonly seconds?: number;
}

/** The same done without us, or with less. */
export interface Twin {
  readonly name: string;
  readonly work: Work;
}

export interface Benchmark {
  readonly name: string;
  readonly goal?: Goal;
  readonly subject: Work;
  /** What the subject is compared with. */
  readonly twin?: Twin;
  /** Others who do the same, each with a ratio of its own. */
  readonly others?: readonly Twin[];
}
