import { type TopicSettings, defaultTopicSettings } from '../../../core/topic.ts';
import type { SettingDrift } from '../../event-bus.ts';

/** What a record batch may be larger than its payload: key, headers, and Kafka's own fields. */
export const headroomBytes: number = 64 * 1024;

/**
 * Topic settings as Kafka's. Retention and start-from-time go by the broker's clock: a replay of an old year would
 * else be deleted at once.
 */
export function configsOf(settings: TopicSettings): Record<string, string> {
  return {
    'cleanup.policy': settings.compaction ? 'compact' : 'delete',
    ...alterableConfigsOf(settings),
  };
}

/** Those that can be changed on a topic that is there. */
export function alterableConfigsOf({
  retentionMs,
  retentionBytes,
  maxMessageBytes,
}: TopicSettings): Record<string, string> {
  return {
    'retention.ms': String(Number.isFinite(retentionMs) ? retentionMs : -1),
    'retention.bytes': String(retentionBytes ?? -1),
    'max.message.bytes': String(maxMessageBytes + headroomBytes),
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** What `configsOf` sets, `settingsOf` does not tell, and is otherwise now. */
export function driftOf(configs: ReadonlyMap<string, string>): readonly SettingDrift[] {
  const setting = 'message.timestamp.type';
  const [is, should] = [configs.get(setting), 'LogAppendTime'];
  return is === undefined || is === should ? [] : [{ setting, is, should }];
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
