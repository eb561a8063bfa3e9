import { BusError } from '../../core/publisher.ts';
import type { GroupLag, PartitionInfo, TopicInfo } from '../event-bus.ts';
import type { KafkaDriver, PartitionMetadata } from './driver.ts';
import type { GroupOffset, GroupOffsets } from './group-offsets.ts';
import { driftOf, settingsOf } from './topic-configs.ts';

/** All that the cluster knows of a topic. @throws BusError `topic-not-found` */
export async function describeTopic(
  driver: KafkaDriver,
  groups: GroupOffsets,
  name: string,
): Promise<TopicInfo> {
  const committed = groups.asked();
  const [metadata] = await driver.describeTopics([name]);
  if (metadata === undefined) throw new BusError('topic-not-found', `no topic ${name}: create it first`);
  const [configs, ends, firsts, bytes] = await Promise.all([
    driver.topicConfigs(name),
    driver.listOffsets(name, 'next'),
    driver.listOffsets(name, 'first'),
    driver.partitionBytes(name),
  ]);
  const replication = Math.max(1, ...metadata.partitions.map(({ replicas }) => replicas.length));
  const copies = new Map(metadata.partitions.map(partition => [partition.partition, partition]));
  const drift = driftOf(configs);
  return {
    name,
    settings: settingsOf(configs, metadata.partitions.length, replication),
    partitions: [...ends].map(([partition, next]) => ({
      partition,
      firstOffset: firsts.get(partition) ?? next,
      nextOffset: next,
      bytes: bytes.get(partition) ?? 0,
      ...copiesOf(copies.get(partition)),
    })),
    groups: lagsOf(await committed(), name, ends),
    ...(drift.length > 0 && { drift }),
  };
}

function copiesOf(
  partition: PartitionMetadata | undefined,
): Pick<PartitionInfo, 'leader' | 'replicas' | 'inSync'> {
  if (partition === undefined) return {};
  const { leader, replicas, inSync } = partition;
  return { ...(leader !== undefined && { leader }), replicas, inSync };
}

function lagsOf(
  committed: readonly GroupOffset[],
  topic: string,
  ends: ReadonlyMap<number, number>,
): readonly GroupLag[] {
  return committed
    .filter(each => each.topic === topic)
    .map(({ group, partition, offset }) => ({
      group,
      partition,
      committed: offset,
      lag: Math.max(0, (ends.get(partition) ?? offset) - offset),
    }));
}
