import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { offsetIn } from '../../same-partition.ts';
import type { FetchWish, FetchedPartition } from '../driver.ts';
import { type AbortedTransaction, BrokenBatch, readBatches } from './batch-reader.ts';

/** What a broker sent of one partition. */
export interface PartitionContent extends TopicPartition {
  /** Up to where everything is decided: stored on enough brokers, and its transactions ended. */
  readonly stableEnd: number;
  /** Up to where it is stored on enough brokers. */
  readonly highWatermark: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last of which may be cut off. */
  readonly bytes: Buffer;
}

/** @throws BusError `invalid-message` where a batch is broken */
export async function fetchedOf(
  content: PartitionContent,
  wishes: readonly FetchWish[],
): Promise<FetchedPartition> {
  const { topic, partition, stableEnd, highWatermark, aborted, bytes } = content;
  const wished = offsetIn(wishes, content) ?? 0;
  try {
    const { records, nextOffset = wished } = await readBatches(bytes, aborted);
    const undecided = Math.max(0, highWatermark - stableEnd);
    return { topic, partition, records, nextOffset: Math.max(wished, nextOffset), end: stableEnd, undecided };
  } catch (problem) {
    if (!(problem instanceof BrokenBatch)) throw problem;
    throw new BusError(
      'invalid-message',
      `${topic}[${partition}] at offset ${wished}: ${problem.message}: let the group begin behind it, or delete it from the topic`,
      { cause: problem },
    );
  }
}
