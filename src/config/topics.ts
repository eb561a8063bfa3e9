import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { TopicSettings } from '../core/topic.ts';
import type { ConfigProblem } from './config-problem.ts';
import type { Environment } from './environment.ts';
import { field } from './field.ts';
import { loadConfig } from './load-config.ts';
import { ByteSize, Duration, integerIn, Text, textLike } from './values.ts';

/** One topic as `configs/stream/topics.yaml` describes it. */
export interface TopicConfig {
  /** What its messages are keyed by: `symbol`, `worker`, ... */
  readonly key: string;
  readonly doc?: string;
  readonly partitions: number;
  /** Copies where the cluster has as many brokers. */
  readonly replication: number;
  /** Milliseconds. */
  readonly retention: number;
  /** Bytes per partition. */
  readonly retentionBytes?: number;
  readonly compaction: boolean;
  /** Bytes. */
  readonly maxMessageSize: number;
}

/** All topics by name. */
export interface TopicsConfig {
  readonly topics: Readonly<Record<string, TopicConfig>>;
}

const TopicName = textLike(
  /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/,
  'topic name, write letters, digits, dots, hyphens or underscores, for example cryptorun-signals',
);

const replication = field(
  integerIn(1, 9),
  'copies of each partition; fewer, with a warning, where there are fewer brokers',
  3,
);
const maxMessageSize = field(ByteSize, 'the largest message, key and headers included', '1MB');

const TopicCodec: t.Type<TopicConfig, unknown> = t.intersection([
  t.type({
    key: field(Text, 'what messages are keyed by'),
    partitions: field(integerIn(1, 1024), 'partitions; equal for topics that are joined'),
    replication,
    retention: field(Duration, 'how long messages are kept, by the clock of the backend'),
    compaction: field(t.boolean, 'keep the newest message of each key instead of deleting by age', false),
    maxMessageSize,
  }),
  t.partial({
    doc: field(Text, 'what the topic holds'),
    retentionBytes: field(
      ByteSize,
      'how much a partition keeps; no bound but that of the backend when left out',
    ),
  }),
]);

/** The codec of `configs/stream/topics.yaml`. */
export const TopicsConfig: t.Type<TopicsConfig, unknown> = t.type({
  topics: field(t.record(TopicName, TopicCodec), 'topics by name'),
});

/** Reads the file of topics; every problem at once where there is one. */
export function loadTopics(file: string, env: Environment): Either<readonly ConfigProblem[], TopicsConfig> {
  return loadConfig(file, TopicsConfig, env);
}

/** The settings under which a topic is created. */
export function topicSettings(config: TopicConfig): TopicSettings {
  return {
    partitions: config.partitions,
    replication: config.replication,
    retentionMs: config.retention,
    compaction: config.compaction,
    maxMessageBytes: config.maxMessageSize,
    ...(config.retentionBytes === undefined ? {} : { retentionBytes: config.retentionBytes }),
  };
}
