import type { CircuitChange, CircuitState } from '../../operators/circuit.ts';
import type { BusError } from '../core/publisher.ts';
import type { PipelineEvent } from './pipeline-status.ts';

/** What holds a pipeline up, stage by stage: sends that the bus refuses, and circuits that are not closed. */
export class HoldUps {
  readonly #pipeline: string;
  readonly #report: (event: PipelineEvent) => void;
  /** Stages that wait because the bus refuses what they send, each with the reason. */
  readonly #held = new Map<string, string>();
  /** The last change of each circuit breaker. */
  readonly #circuits = new Map<string, CircuitChange>();
  #openings = 0;

  constructor(pipeline: string, report: (event: PipelineEvent) => void) {
    this.#pipeline = pipeline;
    this.#report = report;
  }

  /** Of a chain that has ended; how often circuits have opened stays known. */
  clear(): void {
    this.#held.clear();
    this.#circuits.clear();
  }

  /** @param refusal undefined: the stage goes on */
  held(stage: string, refusal: BusError | undefined): void {
    const pipeline = this.#pipeline;
    if (refusal === undefined) {
      if (this.#held.delete(stage)) this.#report({ kind: 'going-on', pipeline, stage });
      return;
    }
    if (!this.#held.has(stage)) this.#report({ kind: 'waiting', pipeline, stage, reason: refusal.message });
    this.#held.set(stage, refusal.message);
  }

  changed(change: CircuitChange): void {
    this.#circuits.set(change.stage, change);
    if (change.to === 'open') this.#openings++;
    this.#report({ kind: 'circuit', pipeline: this.#pipeline, change });
  }

  get circuits(): ReadonlyMap<string, CircuitState> {
    return new Map([...this.#circuits].map(([stage, { to }]) => [stage, to]));
  }

  /** How often any of them has opened. */
  get openings(): number {
    return this.#openings;
  }

  /** The first stage that is held up. */
  get stage(): string | undefined {
    return this.#first?.stage;
  }

  /** Why, in words. */
  get problem(): string | undefined {
    return this.#first?.problem;
  }

  get #first(): { readonly stage: string; readonly problem: string } | undefined {
    for (const [stage, reason] of this.#held) {
      return { stage, problem: `${stage} waits, and the pipeline with it: ${reason}` };
    }
    for (const { stage, to, reason } of this.#circuits.values()) {
      if (to !== 'closed') return { stage, problem: `${stage} is ${to}: ${reason}` };
    }
    return undefined;
  }
}
