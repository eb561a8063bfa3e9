import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { ConfigProblem } from './config-problem.ts';
import type { Environment } from './environment.ts';
import { field } from './field.ts';
import { KafkaBackendSettings } from './kafka-backend.ts';
import { loadConfig } from './load-config.ts';
import { Name } from './name.ts';
import { taggedBy, type Tagged } from './tagged.ts';
import { between, ByteSize, Duration, integerIn, oneOf, Text } from './values.ts';

/** Codecs of backend settings by kind; who adds a backend adds an entry, and nothing here changes. */
export type BackendKinds = Readonly<Record<string, t.Mixed>>;

/** The settings of one backend, with its `kind`. */
export type BackendConfig<Kinds extends BackendKinds = typeof shippedBackends> = Tagged<'kind', Kinds>;

/** The backends of `configs/stream/backends.yaml` by name. */
export interface BackendsConfig<Kinds extends BackendKinds = typeof shippedBackends> {
  readonly backends: Readonly<Record<string, BackendConfig<Kinds>>>;
}

/** What the bus in memory and the bus in a folder have in common. */
export interface StubSettings {
  /** Bytes that one partition may hold before `publish` waits. */
  readonly maxPartitionBytes: number;
  /** Publications that may wait for room in one partition. */
  readonly maxWaitingPublishes: number;
  /** Milliseconds that `publish` waits for room. */
  readonly publishTimeout: number;
  /** Milliseconds between runs of retention and compaction. */
  readonly maintenanceInterval: number;
}

/** The settings of the bus in a folder. */
export interface EmbeddedSettings extends StubSettings {
  /** The folder; made when it is not there. */
  readonly dir: string;
  readonly fsync: 'never' | 'interval' | 'batch';
  /** Milliseconds; used with `fsync: interval`. */
  readonly fsyncInterval: number;
  /** Bytes. */
  readonly segmentSize: number;
}

const limits = (maxPartitionBytes: string): t.TypeC<{ [K in keyof StubSettings]: t.Type<number, unknown> }> =>
  t.type({
    maxPartitionBytes: field(
      between(ByteSize, '64KB', '1024GB'),
      'bytes a partition may hold before publish waits',
      maxPartitionBytes,
    ),
    maxWaitingPublishes: field(
      integerIn(0, 1_000_000),
      'publications that may wait for room in a partition',
      10_000,
    ),
    publishTimeout: field(
      between(Duration, '1ms', '1h'),
      'how long publish waits for room, then fails',
      '30s',
    ),
    maintenanceInterval: field(
      between(Duration, '10ms', '24h'),
      'how often retention and compaction run',
      '60s',
    ),
  });

/** The settings of kind `stub`: in memory, gone with the process. */
export const StubSettings: t.Type<StubSettings, unknown> = limits('512KB');

/** The settings of kind `embedded`: in a folder, kept over restarts. */
export const EmbeddedSettings: t.Type<EmbeddedSettings, unknown> = t.intersection([
  limits('1GB'),
  t.type({
    dir: field(Text, 'the folder; made when it is not there'),
    fsync: field(
      oneOf('never', 'interval', 'batch'),
      'when data is forced to disk: left to the system, in intervals, or before each batch is confirmed',
      'interval',
    ),
    fsyncInterval: field(between(Duration, '1ms', '1h'), 'how often, with fsync: interval', '1s'),
    segmentSize: field(between(ByteSize, '64KB', '1GB'), 'size at which a new segment file begins', '64MB'),
  }),
]);

/** The kinds that come with the package. */
export const shippedBackends: {
  readonly stub: t.Type<StubSettings, unknown>;
  readonly embedded: t.Type<EmbeddedSettings, unknown>;
  readonly kafka: t.Type<KafkaBackendSettings, unknown>;
} = { stub: StubSettings, embedded: EmbeddedSettings, kafka: KafkaBackendSettings };

/** Kinds on which outputs and consumed offsets cannot become visible together. */
export const kindsWithoutTransactions: readonly string[] = ['stub', 'embedded'];

/** The codec of `configs/stream/backends.yaml` for the kinds that are registered. */
export function backendsConfig<Kinds extends BackendKinds>(
  kinds: Kinds,
): t.Type<BackendsConfig<Kinds>, unknown> {
  return t.type({ backends: field(t.record(Name, taggedBy('kind', kinds)), 'backends by name') });
}

/** Reads the file of backends; an unknown kind is reported with the kinds there are. */
export function loadBackends<Kinds extends BackendKinds>(
  file: string,
  kinds: Kinds,
  env: Environment,
): Either<readonly ConfigProblem[], BackendsConfig<Kinds>> {
  return loadConfig(file, backendsConfig(kinds), env);
}
