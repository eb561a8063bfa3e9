import { BusError } from '../../core/publisher.ts';
import type { GroupLag, TopicInfo } from '../event-bus.ts';
import type { KafkaDriver } from './driver.ts';
import { settingsOf } from './topic-configs.ts';

/** All that the cluster knows of a topic. @throws BusError `topic-not-found` */
export async function describeTopic(driver: KafkaDriver, name: string): Promise<TopicInfo> {
  const [metadata] = await driver.describeTopics([name]);
  if (metadata === undefined) throw new BusError('topic-not-found', `no topic ${name}: create it first`);
  const [configs, offsets, bytes] = await Promise.all([
    driver.topicConfigs(name),
    driver.offsets(name),
    driver.partitionBytes(metadata),
  ]);
  const replication = Math.max(1, ...metadata.partitions.map(({ replicas }) => replicas.length));
  const ends = new Map(offsets.map(({ partition, next }) => [partition, next]));
  return {
    name,
    settings: settingsOf(configs, metadata.partitions.length, replication),
    partitions: offsets.map(({ partition, first, next }) => ({
      partition,
      firstOffset: first,
      nextOffset: next,
      bytes: bytes.get(partition) ?? 0,
    })),
    groups: await lagsOf(driver, name, ends),
  };
}

async function lagsOf(
  driver: KafkaDriver,
  topic: string,
  ends: ReadonlyMap<number, number>,
): Promise<readonly GroupLag[]> {
  const groups = await driver.groups();
  const lags = await Promise.all(
    groups.map(async group =>
      (await driver.committed(group, [topic])).map(({ partition, offset }) => ({
        group,
        partition,
        committed: offset,
        lag: Math.max(0, (ends.get(partition) ?? offset) - offset),
      })),
    ),
  );
  return lags.flat();
}
