import type { CircuitChange, CircuitState } from '../../operators/circuit.ts';

/** What a running pipeline tells. */
export type PipelineEvent =
  | { readonly kind: 'started' | 'stopped'; readonly pipeline: string }
  | {
      readonly kind: 'failed';
      readonly pipeline: string;
      readonly reason: string;
      readonly retryInMs: number;
    }
  | { readonly kind: 'lost'; readonly pipeline: string; readonly reason: string }
  /** Others have these partitions now, by their names, and handle so many messages again that this one had taken. */
  | {
      readonly kind: 'given-up';
      readonly pipeline: string;
      readonly partitions: readonly string[];
      readonly repeated: number;
    }
  /** The bus refuses for now what a stage sends; the pipeline waits, and goes on by itself. */
  | { readonly kind: 'waiting'; readonly pipeline: string; readonly stage: string; readonly reason: string }
  | { readonly kind: 'going-on'; readonly pipeline: string; readonly stage: string }
  | { readonly kind: 'circuit'; readonly pipeline: string; readonly change: CircuitChange };

export type PipelinePhase = 'starting' | 'running' | 'draining' | 'restarting' | 'stopped';

/** Where a pipeline stands. */
export interface PipelineStatus {
  readonly name: string;
  readonly phase: PipelinePhase;
  /** Messages taken and messages published since it was started. */
  readonly consumed: number;
  readonly published: number;
  readonly deadLettered: number;
  /** Messages that ended in it for good reason: filtered out, repeated, or too late for a window. */
  readonly leftOut: number;
  readonly retried: number;
  /** Messages taken and not settled. */
  readonly inFlight: number;
  /** Messages in its input that are not settled. */
  readonly lag: number;
  /** Up to where everything is done, ms of event time. */
  readonly watermark: number | undefined;
  /** Event time of the newest message it was given, ms. */
  readonly eventTime: number | undefined;
  readonly restarts: number;
  /** What is wrong, in words. */
  readonly problem: string | undefined;
  /** The oldest message that is not settled, as `topic[partition]@offset key`. */
  readonly stuckAt: string | undefined;
  /** Circuit breakers that have changed, by the name of their stage. */
  readonly circuits: ReadonlyMap<string, CircuitState>;
  /** How often they have opened since it was started: one may be over before anybody looks at `circuits`. */
  readonly circuitOpenings: number;
  readonly snapshots: number;
  /** Keys that each operator with state holds. */
  readonly keys: ReadonlyMap<string, number>;
}
