import { type SchedulerLike, asyncScheduler } from 'rxjs';
import { Backoff, type BackoffOptions } from '../src/core/backoff.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { OptionError, finiteNumber, wholeNumber } from '../src/core/option.ts';
import { retryTopic } from '../src/core/retry-message.ts';
import type { StateStore } from '../src/core/state.ts';
import type { StageOptions } from './map-values.ts';
import type { NamedPublisher } from './named-publisher.ts';

/** Messages wait for their next attempt in a topic, and come back from where they came, whatever else is between. */
export interface RetryTopic {
  /** Knows for which pipeline it publishes: only that one sees the message again. */
  readonly publisher: NamedPublisher;
  /** Default `cryptorun-retry`; the pipeline `retries` must run somewhere, or nothing comes back. */
  readonly topic?: string;
  readonly state?: never;
}

/** The same with the order of each key: what comes while another of its key goes round goes round behind it. */
export interface KeyedRetryTopic extends Omit<RetryTopic, 'state'> {
  /** Remembers which messages of a key go round, and in which order. */
  readonly state: StateStore;
  /** Messages of one key that may go round, up to 50 000; past it they fail with `overflow`. Default 1000. */
  readonly maxParkedPerKey?: number;
}

interface RetryLimits extends StageOptions, BackoffOptions {
  /** How often a message is tried again, ms apart as the backoff says; default 3: after 100, 200 and 400 ms. */
  readonly retries?: number;
  /** How long an attempt may take, ms; past it it has failed with `expired`. Default: as long as it likes. */
  readonly timeoutMs?: number;
  /** Whether what the handler threw may pass when tried again; default: unless its `retryable` is false. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Attempts running at once; default 16. */
  readonly concurrency?: number;
  /** Deliveries that may wait for their turn or their next attempt; past it: `overflow`. Default 65 536. */
  readonly maxWaiting?: number;
  /** The bytes of their payloads; default 64 MiB. */
  readonly maxWaitingBytes?: number;
  /**
   * Counts `stream_retries_total`, `stream_handler_error_total` and `stream_filtered_total`, gauges
   * `stream_buffered` and `stream_retry_waiting`.
   */
  readonly meter?: Meter;
}

interface InMemory {
  /** `key` (default): messages of one key one after the other, also while one waits. `none`: as they come. */
  readonly order?: 'key' | 'none';
  /** Where messages wait for their next attempt; default: in memory. */
  readonly through?: undefined;
  /**
   * The pipeline's: attempts at what waits in memory are counted on after a restart or a rebalance. A drain stores
   * all of them, a kill loses those of the last moment. Default: they begin anew.
   */
  readonly state?: StateStore;
}

interface InOrder {
  readonly order?: 'key';
  readonly through: KeyedRetryTopic;
  readonly state?: never;
}

interface AsTheyCome {
  readonly order: 'none';
  readonly through: RetryTopic;
  readonly state?: never;
}

export type RetryOptions = RetryLimits & (InMemory | InOrder | AsTheyCome);

/** The options with their defaults. */
export interface CheckedRetryOptions {
  readonly name: string;
  readonly retries: number;
  readonly backoff: Backoff;
  readonly timeoutMs: number | undefined;
  readonly isRetryable: ((error: unknown) => boolean) | undefined;
  readonly concurrency: number;
  readonly order: 'key' | 'none';
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly scheduler: SchedulerLike;
  readonly meter: Meter;
  /** Remembers the attempts at what waits in memory. */
  readonly state: StateStore | undefined;
  readonly through: Through | undefined;
}

/** Where messages go round, with defaults; the state only where order is kept. */
export interface Through {
  readonly publisher: NamedPublisher;
  /** The only pipeline that is to see the message again. */
  readonly pipeline: string;
  readonly topic: string;
  readonly state: StateStore | undefined;
  readonly maxParkedPerKey: number;
}

/** The origins of so many fit into one record of a snapshot. */
const mostParkedPerKey = 50_000;

/** @throws OptionError */
export function checkRetryOptions(options: RetryOptions): CheckedRetryOptions {
  const { name = 'retryWithBackoff', order = 'key', scheduler = asyncScheduler, meter = idleMeter } = options;
  const { retries = 3, timeoutMs, concurrency = 16, through, isRetryable, state } = options;
  const { maxWaiting = 65_536, maxWaitingBytes = 64 * 1024 ** 2 } = options;
  wholeNumber(`${name}.retries`, retries, 0);
  wholeNumber(`${name}.concurrency`, concurrency, 1);
  wholeNumber(`${name}.maxWaiting`, maxWaiting, 0);
  wholeNumber(`${name}.maxWaitingBytes`, maxWaitingBytes, 0);
  if (timeoutMs !== undefined) finiteNumber(`${name}.timeoutMs`, timeoutMs, 1);
  return {
    ...{ name, order, scheduler, meter, retries, timeoutMs, concurrency, isRetryable },
    ...{ maxWaiting, maxWaitingBytes, state },
    backoff: new Backoff(name, options),
    through: through && checkThrough(`${name}.through`, order, through),
  };
}

function checkThrough(option: string, order: 'key' | 'none', through: RetryTopic | KeyedRetryTopic): Through {
  const { publisher, topic = retryTopic, state } = through;
  const { pipeline } = publisher;
  if (pipeline === undefined)
    throw new OptionError(
      `${option}.publisher`,
      'without a pipeline',
      "a pipeline's own: it names who is meant",
    );
  if (order === 'key' && state === undefined)
    throw new OptionError(`${option}.state`, state, "a state store, or the order must be 'none'");
  const { maxParkedPerKey = 1000 } = 'maxParkedPerKey' in through ? through : {};
  wholeNumber(`${option}.maxParkedPerKey`, maxParkedPerKey, 1, mostParkedPerKey);
  return { publisher, pipeline, topic, state: order === 'key' ? state : undefined, maxParkedPerKey };
}
