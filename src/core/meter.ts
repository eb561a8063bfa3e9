/** Names and values that tell apart the series of one metric; kept few and bounded. */
export type Tags = Readonly<Record<string, string>>;

/** What operators report to: plain numbers, published in batches by whoever provides it. */
export interface Meter {
  /** A number that only grows. */
  counter(name: string, tags?: Tags): Counter;
  /** A number read when somebody asks; returns the way to take it back. */
  gauge(name: string, read: () => number, tags?: Tags): () => void;
}

export interface Counter {
  add(amount?: number): void;
  readonly value: number;
}

/** A counter nobody reads. */
class IdleCounter implements Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

/** The meter of operators that are used without a runtime. */
export const idleMeter: Meter = {
  counter: () => new IdleCounter(),
  gauge: () => () => undefined,
};
