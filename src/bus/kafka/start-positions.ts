import { BusError } from '../../core/publisher.ts';
import type { SourceOptions, StartFrom, StartOffset, TopicPartition } from '../event-bus.ts';
import { isSamePartition } from '../same-partition.ts';
import type { KafkaDriver, PartitionOffset } from './driver.ts';

/** Where to begin reading a partition, and before which offset to stop. */
export interface ReadRange extends PartitionOffset {
  readonly end: number;
}

/** Where a source begins: where it was told to, else where its group has committed, else at `from`. */
export class StartPositions {
  readonly #driver: KafkaDriver;
  readonly #options: SourceOptions;

  constructor(driver: KafkaDriver, options: SourceOptions) {
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
    const unnamed = partitions.filter(partition => find(named, partition) === undefined);
    const committed =
      group === undefined || unnamed.length === 0
        ? []
        : await this.#driver.committed(group, topics, transaction !== undefined);
    const open = unnamed.filter(partition => find(committed, partition) === undefined);
    const defaults = open.length === 0 ? [] : await this.#defaults(topics, from);
    const ends = untilEnd ? await this.#bounds(topics, 'next') : [];
    return partitions.map(partition => {
      const start = find(named, partition) ?? find(committed, partition) ?? find(defaults, partition);
      const end = untilEnd ? find(ends, partition) : Number.POSITIVE_INFINITY;
      if (start === undefined || end === undefined) {
        const { topic, partition: index } = partition;
        throw new BusError(
          'topic-not-found',
          `${topic}[${index}] is not there: the topic was deleted or made anew`,
        );
      }
      return { topic: partition.topic, partition: partition.partition, offset: start, end };
    });
  }

  async #defaults(topics: readonly string[], from: StartFrom): Promise<readonly PartitionOffset[]> {
    if (from === 'earliest') return this.#bounds(topics, 'first');
    if (from === 'latest') return this.#bounds(topics, 'next');
    const places = await Promise.all(
      topics.map(async topic =>
        [...(await this.#driver.offsetsAt(topic, from.time))].map(([partition, offset]) => ({
          topic,
          partition,
          offset,
        })),
      ),
    );
    return places.flat();
  }

  async #bounds(topics: readonly string[], bound: 'first' | 'next'): Promise<readonly PartitionOffset[]> {
    const places = await Promise.all(
      topics.map(async topic =>
        (await this.#driver.offsets(topic)).map(offsets => ({
          topic,
          partition: offsets.partition,
          offset: offsets[bound],
        })),
      ),
    );
    return places.flat();
  }
}

function find(places: readonly PartitionOffset[], wanted: TopicPartition): number | undefined {
  return places.find(place => isSamePartition(place, wanted))?.offset;
}
