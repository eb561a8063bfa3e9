import { type WhichOffset, askedTime } from '../which-offset.ts';
import type { Brokers } from './brokers.ts';

const readCommitted = 1;
const noReplica = -1;
const noEpoch = -1;

/**
 * One offset of each of these partitions, as the node that leads them tells; -1 where there is none such.
 *
 * @throws the client's error
 */
export async function listOffsets(
  brokers: Brokers,
  node: number,
  topic: string,
  partitions: readonly number[],
  which: WhichOffset,
): Promise<ReadonlyMap<number, number>> {
  const timestamp = BigInt(askedTime(which));
  const wanted = partitions.map(partitionIndex => ({
    partitionIndex,
    currentLeaderEpoch: noEpoch,
    timestamp,
  }));
  const { topics } = await brokers.ask(node, brokers.client.listOffsetsV5.api, noReplica, readCommitted, [
    { name: topic, partitions: wanted },
  ]);
  return new Map(
    topics.flatMap(({ partitions: told }) =>
      told.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)] as const),
    ),
  );
}

/** Bytes on a node's disk of partitions of one topic. */
export async function bytesOnDisk(
  brokers: Brokers,
  node: number,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const { results } = await brokers.ask(node, brokers.client.describeLogDirsV2.api, [
    { name: topic, partitions: [...partitions] },
  ]);
  return new Map(
    results
      .flatMap(({ topics }) => topics.filter(({ name }) => name === topic))
      .flatMap(({ partitions: told }) => told.filter(({ isFutureKey }) => !isFutureKey))
      .map(({ partitionIndex, partitionSize }) => [partitionIndex, Number(partitionSize)]),
  );
}
