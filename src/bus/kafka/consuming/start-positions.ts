import { BusError } from '../../../core/publisher.ts';
import type { SourceOptions, StartFrom, StartOffset, TopicPartition } from '../../event-bus.ts';
import { offsetIn } from '../../same-partition.ts';
import type { KafkaDriver, PartitionOffset } from '../driver.ts';
import type { WhichOffset } from '../which-offset.ts';

/** Where to begin reading a partition, and before which offset to stop. */
export interface ReadRange extends PartitionOffset {
  readonly end: number;
}

/** What of a client tells where to begin. */
export type OffsetsDriver = Pick<KafkaDriver, 'committed' | 'stableOffsets' | 'listOffsets'>;

/** Where a source begins: where it was told to, else where its group has committed, else at `from`. */
export class StartPositions {
  readonly #driver: OffsetsDriver;
  readonly #options: SourceOptions;

  constructor(driver: OffsetsDriver, options: SourceOptions) {
    this.#driver = driver;
    this.#options = options;
  }

  /** @param named offsets that the lifecycle has named */
  async of(
    partitions: readonly TopicPartition[],
    named: readonly StartOffset[],
  ): Promise<readonly ReadRange[]> {
    const { group, from = 'earliest', untilEnd = false, transaction } = this.#options;
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const unnamed = partitions.filter(partition => offsetIn(named, partition) === undefined);
    const committed =
      group === undefined || unnamed.length === 0
        ? []
        : transaction === undefined
          ? await this.#driver.committed(group, topics)
          : await this.#driver.stableOffsets(group, unnamed);
    const open = unnamed.filter(partition => offsetIn(committed, partition) === undefined);
    const defaults = open.length === 0 ? [] : await this.#defaults(topics, from);
    const ends = untilEnd ? await this.#list(topics, 'next') : [];
    return partitions.map(partition => {
      const start =
        offsetIn(named, partition) ?? offsetIn(committed, partition) ?? offsetIn(defaults, partition);
      const end = untilEnd ? offsetIn(ends, partition) : Number.POSITIVE_INFINITY;
      if (start === undefined || end === undefined) {
        const { topic, partition: index } = partition;
        throw new BusError(
          'topic-not-found',
          `${topic}[${index}] is not there: the topic was deleted or made anew: subscribe again`,
        );
      }
      return { topic: partition.topic, partition: partition.partition, offset: start, end };
    });
  }

  async #defaults(topics: readonly string[], from: StartFrom): Promise<readonly PartitionOffset[]> {
    if (from === 'earliest') return this.#list(topics, 'first');
    const ends = await this.#list(topics, 'next');
    if (from === 'latest') return ends;
    if ('offsets' in from) {
      // What is gone begins at the first that is there, as with every fetch; what has not come yet must not.
      const named = from.offsets.map(start => ({
        ...start,
        offset: Math.min(start.offset, offsetIn(ends, start) ?? 0),
      }));
      return [...named, ...(await this.#list(topics, 'first'))];
    }
    const found = await this.#list(topics, { atMs: from.time });
    // Where nothing is so late, what comes next is.
    return [...found.filter(({ offset }) => offset >= 0), ...ends];
  }

  async #list(topics: readonly string[], which: WhichOffset): Promise<readonly PartitionOffset[]> {
    const lists = topics.map(async topic => {
      const offsets = await this.#driver.listOffsets(topic, which);
      return [...offsets].map(([partition, offset]) => ({ topic, partition, offset }));
    });
    return (await Promise.all(lists)).flat();
  }
}
