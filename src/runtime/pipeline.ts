import { type Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { CircuitChange } from '../../operators/circuit.ts';
import type { DeadLetterOptions } from '../../operators/dead-letter.ts';
import type { NamedPublisher } from '../../operators/named-publisher.ts';
import type { Capability } from '../bus/capabilities.ts';
import type { SourceOptions } from '../bus/event-bus.ts';
import type { Delivery, Ok } from '../core/delivery.ts';
import type { Bytes } from '../core/message.ts';
import type { Meter } from '../core/meter.ts';
import type { StateStore } from '../core/state.ts';
import type { Table } from '../core/table.ts';
import type { TopicNamed } from '../core/topic.ts';

/**
 * What a pipeline promises:
 * - `at-least-once`: acked after its outputs are stored; after a fault some outputs come twice, with equal ids;
 * - `at-most-once`: acked before it is handled; after a fault some messages are lost;
 * - `exactly-once`: outputs and offsets become visible together; needs a backend with transactions.
 */
export type Guarantee = 'at-least-once' | 'at-most-once' | 'exactly-once';

/** What becomes of failures: stored as dead letters, counted and left out, or the end of the pipeline. */
export type FailurePolicy = 'dead-letter' | 'skip' | 'stop';

/** What a pipeline is built with. */
export interface PipelineContext {
  readonly name: string;
  /** The pipeline's input; one topic, where workers share partitions. @throws OptionError for another one there */
  readonly source: (
    topic: TopicNamed,
    options?: Pick<SourceOptions, 'maxInFlight' | 'from'>,
  ) => Observable<Delivery<Bytes>>;
  /** The table side of a join: all of the topic from its beginning, whoever else reads it. */
  readonly table: (topic: TopicNamed) => Table<Bytes>;
  readonly publisher: NamedPublisher;
  /** For `circuitBreaker`: its changes show in the pipeline's status, and so in health, log and audit log. */
  readonly circuitChanged: (change: CircuitChange) => void;
  /** Failures leave here, by the pipeline's failure policy. */
  readonly onFailure: <A>(options?: DeadLetterOptions) => OperatorFunction<Delivery<A>, Ok<A>>;
  readonly scheduler: SchedulerLike;
  readonly meter: Meter;
  readonly state: StateStore;
}

/** Only deliveries that have not failed may reach the end, where they are acked. */
export type BuildPipeline = (context: PipelineContext) => Observable<Ok<unknown>>;

/** The bounds of a pipeline's source; defaults as there. */
type SourceBounds = Pick<
  SourceOptions,
  'maxInFlight' | 'maxInFlightBytes' | 'maxUncommitted' | 'commitIntervalMs'
>;

export interface PipelineOptions extends SourceBounds {
  /** Default: the pipeline's name. */
  readonly group?: string;
  /** Default `at-least-once`. With `exactly-once` the default of `commitIntervalMs` is 100. */
  readonly guarantee?: Guarantee;
  /**
   * With `exactly-once`: after how long the backend aborts a transaction by itself, ms; default 10 000. Messages in
   * flight must be settled within half of it, retries included. For so long the death of a process may hold up who
   * reads what it was writing.
   */
  readonly transactionTimeoutMs?: number;
  /** Default `dead-letter`. */
  readonly onFailure?: FailurePolicy;
  /**
   * Of each partition, so many dead letters that were sent back are known again where a redrive sends them twice; past
   * it the oldest is forgotten, counted as `stream_dedupe_forgotten_total`. Default 10 000.
   */
  readonly redrivenRemembered?: number;
  /**
   * `many` (default): members of its group share the input's partitions, each with the state of its own. `one`: one of
   * them has all partitions, for state that spans them; the others stand by.
   */
  readonly members?: 'many' | 'one';
  /**
   * Keeps warm copies of the state of partitions that other members have, up to so many bytes as stored, so that what
   * is left to read when a partition comes over is what was written last. Where one process has all partitions there is
   * nothing to copy. Default: none.
   */
  readonly standbyBytes?: number;
  /**
   * After how long in which nothing in hand was settled or tried again, and nothing is known that it waits for, it
   * begins anew, ms: longer than any handler may take, and any batch may take to fill. It is noticed within twice that.
   * Default 300 000; `false`: never.
   */
  readonly stalledAfterMs?: number | false;
  /** What the backend must be able to do; checked at start. */
  readonly needs?: readonly Capability[];
  /**
   * Send markers on to the topics it publishes to, this much behind the input's, ms of event time: by how much
   * an output may be older than the input that caused it. Default: as its windows make them, which is 0 without; `false`:
   * send none.
   */
  readonly watermarkDelayMs?: number | false;
  /** Guarantees that it cannot keep, each with the reason; stating one is refused at start. Default: none. */
  readonly refuses?: Readonly<Partial<Record<Guarantee, string>>>;
  /** What it does, in a line. */
  readonly summary?: string;
}

/** A named chain from topics to topics; the same value is listed, checked, drawn, tested and run. */
export interface Pipeline {
  readonly name: string;
  readonly options: PipelineOptions;
  readonly build: BuildPipeline;
}

const legalName = /^[a-z][a-z0-9-]{0,63}$/;

/**
 * Defines a pipeline.
 *
 * @param name lower-case letters, digits and hyphens; it names the consumer group and goes into message ids
 * @param build makes the chain; called anew at each start, so it must keep nothing outside
 * @throws RangeError for another name
 *
 * @example
 * const upper = pipeline('upper', ({ source, publisher, onFailure }) =>
 *   source(words).pipe(
 *     decode(words),
 *     mapValues(word => word.toUpperCase()),
 *     publishTo(shouted, publisher),
 *     onFailure(),
 *   ));
 */
export function pipeline(name: string, build: BuildPipeline, options: PipelineOptions = {}): Pipeline {
  if (!legalName.test(name)) {
    throw new RangeError(
      `pipeline name "${name}": use lower-case letters, digits and hyphens, a letter first`,
    );
  }
  return { name, options, build };
}
