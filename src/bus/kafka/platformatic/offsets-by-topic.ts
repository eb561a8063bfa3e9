import type { offsetCommitV8 } from '@platformatic/kafka';
import type { PartitionOffset } from '../driver.ts';

const noLeaderEpoch = -1;

/** Offsets as requests that commit them list them. */
export function offsetsByTopic(
  offsets: readonly PartitionOffset[],
): offsetCommitV8.OffsetCommitRequestTopic[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: noLeaderEpoch,
      committedMetadata: null,
    })),
  }));
}
