import { type GroupLag, type PartitionInfo, type TopicInfo, rateSpanMs } from '../../event-bus.ts';
import { askAboutTopics, unheardOfMs } from '../ask-again.ts';
import { requireTopic } from '../ask-leaders.ts';
import type { KafkaDriver, PartitionMetadata, TopicMetadata } from '../driver.ts';
import type { GroupOffset, GroupOffsets } from './group-offsets.ts';
import { driftOf, settingsOf } from './topic-configs.ts';

type TopicClient = Pick<KafkaDriver, 'describeTopics' | 'topicConfigs' | 'listOffsets' | 'partitionBytes'>;

/** All that the cluster knows of a topic. @throws BusError `topic-not-found` */
export async function describeTopic(
  driver: TopicClient,
  groups: Pick<GroupOffsets, 'asked'>,
  name: string,
  now: number,
): Promise<TopicInfo> {
  const committed = groups.asked();
  const described = async (): Promise<TopicMetadata> =>
    requireTopic(name, await driver.describeTopics([name]));
  const metadata = await askAboutTopics(described, { atMostMs: unheardOfMs });
  const [configs, ends, firsts, recent, bytes] = await Promise.all([
    driver.topicConfigs(name),
    driver.listOffsets(name, 'next'),
    driver.listOffsets(name, 'first'),
    driver.listOffsets(name, { atMs: now - rateSpanMs }),
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
      perSecond: perSecond(recent.get(partition) ?? -1, next),
      ...copiesOf(copies.get(partition)),
    })),
    groups: lagsOf(await committed(), name, ends),
    ...(drift.length > 0 && { drift }),
  };
}

/** @param since the offset of the first message of the span; -1 where there is none */
function perSecond(since: number, next: number): number {
  return since < 0 ? 0 : Math.max(0, next - since) / (rateSpanMs / 1000);
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
