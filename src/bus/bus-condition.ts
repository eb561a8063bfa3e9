import type { BusHealth, ConsumerCounts } from './health.ts';

/** What the bus knows of itself beside its condition. */
export interface BusFigures {
  readonly running: boolean;
  /** What is wrong right now. */
  readonly problems: readonly string[];
  readonly brokers?: number;
  readonly connectedBrokers: number;
  readonly activeTopics: number;
  readonly activeConsumers: number;
  readonly controller?: number;
  readonly underReplicatedPartitions?: number;
}

const maxNotes = 10;
/** How much of a latency is the newest sample: one in so many. */
const smoothing = 16;

/** How a bus is: what went wrong, what is wrong until it works again, and how long things take. */
export class BusCondition {
  readonly #notes: string[] = [];
  readonly #warnings = new Set<string>();
  readonly #failing = new Map<string, string>();
  readonly #counts: { -readonly [Name in keyof ConsumerCounts]: number } = {};
  #producerLatencyMs = 0;
  #consumerLatencyMs = 0;

  /** Something went wrong for good; of such texts the newest are kept. */
  noted(text: string): void {
    this.#notes.push(text);
    this.#notes.splice(0, Math.max(0, this.#notes.length - maxNotes));
  }

  /** Something is other than was asked for, and works all the same; of such texts the newest are kept. */
  warned(text: string): void {
    this.#warnings.add(text);
    for (const oldest of [...this.#warnings].slice(0, -maxNotes)) this.#warnings.delete(oldest);
  }

  /** This work fails; so it is said until it works. */
  failed(work: string, cause: unknown): void {
    this.#failing.set(work, `${work}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }

  worked(work: string): void {
    this.#failing.delete(work);
  }

  counted(what: keyof ConsumerCounts, more: number): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + more;
  }

  published(tookMs: number): void {
    this.#producerLatencyMs += (tookMs - this.#producerLatencyMs) / smoothing;
  }

  delivered(ageMs: number): void {
    this.#consumerLatencyMs += (ageMs - this.#consumerLatencyMs) / smoothing;
  }

  health({ running, problems, ...figures }: BusFigures): BusHealth {
    const errors = [...this.#notes, ...this.#failing.values(), ...problems];
    const healthy = running && errors.length === 0;
    return {
      healthy,
      status: !running ? 'stopped' : healthy ? 'running' : 'degraded',
      errors,
      ...(this.#warnings.size > 0 && { warnings: [...this.#warnings] }),
      metrics: {
        ...figures,
        ...this.#counts,
        producerLatencyMs: this.#producerLatencyMs,
        consumerLatencyMs: this.#consumerLatencyMs,
      },
    };
  }
}
