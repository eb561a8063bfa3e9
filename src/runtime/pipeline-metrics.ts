import type { Counter } from '../core/meter.ts';
import type { Publisher } from '../core/publisher.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import type { SeriesMeter } from './series.ts';

const joinWaiting = 'stream_join_waiting';
const delayed = 'stream_delayed';
/** What counts messages that an operator acks without anything to show for them. */
const leaving = ['stream_filtered_total', 'stream_duplicates_total', 'stream_late_total'] as const;

/** What is counted of one pipeline. */
export class PipelineMetrics {
  readonly consumed: Counter;
  /** What comes again to another member, because its partition went before it was committed. */
  readonly repeated: Counter;
  readonly #published: Counter;
  readonly #publishedBytes: Counter;
  readonly #pipeline: string;
  readonly #meter: SeriesMeter;
  readonly #forget: () => void;

  constructor(pipeline: string, meter: SeriesMeter, inFlight: () => number) {
    const tags = { pipeline };
    this.#pipeline = pipeline;
    this.#meter = meter;
    this.consumed = meter.counter('stream_consume_total', tags);
    this.repeated = meter.counter('stream_rebalance_duplicates_total', tags);
    this.#published = meter.counter('stream_publish_total', tags);
    this.#publishedBytes = meter.counter('stream_publish_bytes', tags);
    this.#forget = meter.gauge('stream_in_flight', inFlight, tags);
  }

  get counts(): Pick<PipelineStatus, 'consumed' | 'published' | 'deadLettered' | 'leftOut' | 'retried'> {
    const tags = { pipeline: this.#pipeline };
    return {
      consumed: this.consumed.value,
      published: this.#published.value,
      deadLettered: this.#meter.sum('stream_dlq_total', tags),
      leftOut: leaving.reduce((sum, metric) => sum + this.#meter.sum(metric, tags), 0),
      retried: this.#meter.sum('stream_retries_total', tags),
    };
  }

  /** Deliveries that wait for the other side of a join. */
  get joinWaiting(): number {
    return this.#meter.sum(joinWaiting, { pipeline: this.#pipeline });
  }

  /** Deliveries that wait in memory until they are tried again. */
  get retryWaiting(): number {
    return this.#meter.sum('stream_retry_waiting', { pipeline: this.#pipeline });
  }

  /** Deliveries that wait for data or for a time that a drain must not wait for. */
  get waitingForLater(): number {
    return this.joinWaiting + this.#meter.sum(delayed, { pipeline: this.#pipeline });
  }

  /** The names of the joins. */
  get joins(): readonly string[] {
    return this.#stages([joinWaiting], 0);
  }

  /** The operators in which deliveries may wait for data or for a time. */
  get stagesThatMayWait(): readonly string[] {
    return this.#stages([joinWaiting, delayed], 0);
  }

  /** The stages in which something waits for later. */
  get waitingStages(): readonly string[] {
    return this.#stages([joinWaiting, delayed], 1);
  }

  /** The stages of which one of these metrics is at least so much. */
  #stages(names: readonly string[], atLeast: number): readonly string[] {
    return this.#meter
      .read()
      .filter(({ name, tags }) => names.includes(name) && tags['pipeline'] === this.#pipeline)
      .flatMap(({ tags: { stage }, value }) => (stage === undefined || value < atLeast ? [] : [stage]));
  }

  /** A publisher that counts what the bus has stored. */
  counting(bus: Publisher): Publisher {
    return {
      partitionsOf: topic => bus.partitionsOf(topic),
      send: (message, done) => {
        bus.send(message, (error, receipt) => {
          if (error === undefined) {
            this.#published.add();
            this.#publishedBytes.add(message.payload?.length ?? 0);
          }
          done(error, receipt);
        });
      },
    };
  }

  close(): void {
    this.#forget();
  }
}
