import * as t from 'io-ts';
import type { BackendConfig, BackendKinds, shippedBackends } from './backends.ts';
import { field } from './field.ts';
import { Name, nameOf } from './name.ts';
import { SinkConfig } from './sinks.ts';
import { taggedBy } from './tagged.ts';
import { between, ByteSize, Duration, integerIn, nonEmptyList, oneOf, Text, textLike } from './values.ts';

/** A pipeline of a bundle; what is left out stays as the pipeline itself says. */
export interface PipelineConfig {
  readonly name: string;
  /** Unsettled deliveries at most. */
  readonly maxInFlight?: number;
  /** Unsettled payload bytes at most. */
  readonly maxInFlightBytes?: number;
  /** How far acks may run ahead of the committed offset, in messages of one partition. */
  readonly maxUncommitted?: number;
  /** Milliseconds between commits. */
  readonly commitInterval?: number;
  /** Redriven dead letters of one partition that are known again when they come twice. */
  readonly redrivenRemembered?: number;
  /** Bytes of warm copies of the state of partitions that other workers have, at most. */
  readonly standbyBytes?: number;
  /** Milliseconds without any progress after which it begins anew. */
  readonly stalledAfter?: number;
  readonly failurePolicy?: 'dead-letter' | 'skip' | 'stop';
  readonly guarantee?: 'at-least-once' | 'at-most-once' | 'exactly-once';
  /** With exactly-once: milliseconds after which the backend aborts a transaction by itself. */
  readonly transactionTimeout?: number;
}

/** Pipelines, a backend and the settings of the worker that runs them. */
export interface BundleConfig<Kinds extends BackendKinds = typeof shippedBackends> {
  readonly name: string;
  readonly doc?: string;
  /** A name in `configs/stream/backends.yaml`, or the settings themselves. */
  readonly backend: string | BackendConfig<Kinds>;
  readonly pipelines: readonly PipelineConfig[];
  /** Where market data comes from: `simulator`, `file:<path>`, ... */
  readonly feeds: readonly string[];
  /** Where notifications go beside their topic. */
  readonly sinks: readonly SinkConfig[];
  /** Where health and metrics are served; port 0 takes a free one. */
  readonly http: { readonly host: string; readonly port: number };
  /** Milliseconds in which a worker that stops may finish what it has begun. */
  readonly drainDeadline: number;
  /** Milliseconds between snapshots of keyed state. */
  readonly snapshotInterval: number;
  readonly logLevel: LogLevel;
}

/** From the most to the least talkative. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What a bundle may refer to; of what is left out any name will do. */
export interface KnownNames {
  readonly pipelines?: readonly string[];
  readonly backends?: readonly string[] | undefined;
}

const PipelineLimits = t.partial({
  maxInFlight: field(integerIn(1, 1_000_000), 'unsettled deliveries at most'),
  maxInFlightBytes: field(between(ByteSize, '1KB', '64GB'), 'unsettled payload bytes at most'),
  maxUncommitted: field(
    integerIn(1, 10_000_000),
    'acks ahead of the committed offset of a partition at most',
  ),
  commitInterval: field(between(Duration, '1ms', '1h'), 'time between commits'),
  redrivenRemembered: field(
    integerIn(1, 10_000_000),
    'redriven dead letters of a partition that are known again when they come twice',
  ),
  standbyBytes: field(
    between(ByteSize, '1KB', '64GB'),
    'warm copies of the state of partitions that other workers have, as stored, at most; without it none are kept',
  ),
  stalledAfter: field(
    between(Duration, '1s', '24h'),
    'time in which nothing in hand was settled or tried again, after which it begins anew: longer than a handler may take',
  ),
  failurePolicy: field(
    oneOf('dead-letter', 'skip', 'stop'),
    'what becomes of a message that failed for good',
  ),
  guarantee: field(
    oneOf('at-least-once', 'at-most-once', 'exactly-once'),
    'what is promised of every message; exactly-once needs a backend with transactions',
  ),
  transactionTimeout: field(
    between(Duration, '1s', '15m'),
    'with exactly-once: time after which the backend aborts by itself',
  ),
});

const Feed = textLike(
  /^(simulator|(file|ws|ccxt):\S.*)$/,
  'feed, write for example simulator, file:recordings/btc.json.gz or ws:kraken?symbols=BTC-USD',
);

const HttpCodec: t.Type<BundleConfig['http'], unknown> = t.type({
  host: field(Text, 'address to listen at', '127.0.0.1'),
  port: field(integerIn(0, 65_535), 'port to listen at; 0 takes a free one', 9090),
});

/** The codec of a bundle for the kinds of backend that are registered, and for what there is to refer to. */
export function bundleConfig<Kinds extends BackendKinds>(
  kinds: Kinds,
  { pipelines, backends }: KnownNames = {},
): t.Type<BundleConfig<Kinds>, unknown> {
  const pipeline: t.Type<PipelineConfig, unknown> = t.intersection([
    t.type({ name: field(nameOf('pipeline', pipelines), 'name of the pipeline') }),
    PipelineLimits,
  ]);
  const backend = t.union([nameOf('backend', backends), taggedBy('kind', kinds)]);
  return t.intersection([
    t.type({
      name: field(Name, 'name of the bundle'),
      backend: field(backend, 'name of a backend, or its settings'),
      pipelines: field(nonEmptyList(pipeline), 'pipelines to run'),
      feeds: field(t.readonlyArray(Feed), 'market data to take in', []),
      sinks: field(t.readonlyArray(SinkConfig), 'where notifications go beside their topic', []),
      http: field(HttpCodec, 'where health and metrics are served', {}),
      drainDeadline: field(
        between(Duration, '0s', '1h'),
        'time to finish what has begun when stopped',
        '30s',
      ),
      snapshotInterval: field(
        between(Duration, '10ms', '24h'),
        'time between snapshots of keyed state',
        '10s',
      ),
      logLevel: field(
        oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
        'least weight logged',
        'info',
      ),
    }),
    t.partial({ doc: field(Text, 'what the bundle is for') }),
  ]);
}
