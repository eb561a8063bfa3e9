import { type TopicSettings, defaultTopicSettings } from '../../core/topic.ts';

/** What a record batch may be larger than its payload: key, headers, and Kafka's own fields. */
export const headroomBytes: number = 64 * 1024;

/**
 * Topic settings as Kafka's. Retention and start-from-time go by the broker's clock: a replay of an old year would
 * else be deleted at once.
 */
export function configsOf(settings: TopicSettings): Record<string, string> {
  const { retentionMs, retentionBytes, compaction, maxMessageBytes } = settings;
  return {
    'cleanup.policy': compaction ? 'compact' : 'delete',
    'retention.ms': String(retentionMs),
    'retention.bytes': String(retentionBytes ?? -1),
    'max.message.bytes': String(maxMessageBytes + headroomBytes),
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** Kafka's settings as ours. */
export function settingsOf(
  configs: ReadonlyMap<string, string>,
  partitions: number,
  replication: number,
): TopicSettings {
  const number = (name: string): number | undefined => {
    const value = Number(configs.get(name) ?? Number.NaN);
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const retentionBytes = number('retention.bytes');
  const maxBatchBytes = number('max.message.bytes');
  return {
    partitions,
    replication,
    retentionMs: number('retention.ms') ?? Number.POSITIVE_INFINITY,
    ...(retentionBytes !== undefined && { retentionBytes }),
    compaction: (configs.get('cleanup.policy') ?? '').includes('compact'),
    maxMessageBytes:
      maxBatchBytes === undefined
        ? defaultTopicSettings.maxMessageBytes
        : Math.max(1, maxBatchBytes - headroomBytes),
  };
}
