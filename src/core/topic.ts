import type { Codec } from './codec.ts';

/** How a topic is laid out and how long it keeps what it holds. */
export interface TopicSettings {
  /** Default 1. */
  readonly partitions: number;
  /** Copies kept, or as many as the backend has brokers where those are fewer; default 3. */
  readonly replication: number;
  /** How long messages are kept, ms by the backend's clock; default 7 days. */
  readonly retentionMs: number;
  /** How much a partition keeps, bytes; default: no bound but the backend's. */
  readonly retentionBytes?: number;
  /** Keep the newest message of each key instead of deleting by age; default false. */
  readonly compaction: boolean;
  /** The largest payload, bytes; default 1 MiB. */
  readonly maxMessageBytes: number;
}

export const defaultTopicSettings: TopicSettings = {
  partitions: 1,
  replication: 3,
  retentionMs: 7 * 24 * 3_600_000,
  compaction: false,
  maxMessageBytes: 1024 * 1024,
};

/** A name, a codec for its values, and its settings. */
export interface Topic<A> {
  readonly name: string;
  readonly codec: Codec<A>;
  readonly settings: TopicSettings;
}

/** What a backend needs to create a topic. */
export type TopicSpec = Pick<Topic<unknown>, 'name'> & { readonly settings: TopicSettings };

/** A topic by its name, with its settings where they are known. */
export type TopicNamed = Pick<Topic<unknown>, 'name'> & { readonly settings?: TopicSettings };

const legalName = /^[a-zA-Z0-9._-]{1,249}$/;

/**
 * Defines a topic.
 *
 * @param name letters, digits, `.`, `_` and `-`, at most 249 of them, as Kafka demands
 * @throws RangeError naming what is wrong with the name or a setting
 */
export function topic<A>(name: string, codec: Codec<A>, settings: Partial<TopicSettings> = {}): Topic<A> {
  if (!legalName.test(name) || name === '.' || name === '..') {
    throw new RangeError(
      `topic name "${name}": use 1 to 249 letters, digits, dots, underscores and hyphens, not only dots`,
    );
  }
  const merged = { ...defaultTopicSettings, ...settings };
  requirePositiveInteger(name, 'partitions', merged.partitions);
  requirePositiveInteger(name, 'replication', merged.replication);
  requirePositiveInteger(name, 'maxMessageBytes', merged.maxMessageBytes);
  if (merged.retentionBytes !== undefined)
    requirePositiveInteger(name, 'retentionBytes', merged.retentionBytes);
  if (!(merged.retentionMs > 0)) {
    throw new RangeError(`topic ${name}: retentionMs is ${merged.retentionMs}, must be above 0`);
  }
  return { name, codec, settings: merged };
}

function requirePositiveInteger(topicName: string, setting: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`topic ${topicName}: ${setting} is ${value}, must be a whole number from 1`);
  }
}
