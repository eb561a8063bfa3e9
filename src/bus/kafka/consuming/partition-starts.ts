import { firstValueFrom } from 'rxjs';
import type { SourceOptions, StartOffset, TopicPartition } from '../../event-bus.ts';
import { isSamePartition } from '../../same-partition.ts';
import { type OffsetsDriver, type ReadRange, StartPositions } from './start-positions.ts';

/** Partitions that are not read yet, because it is not known from where. */
export class PartitionStarts {
  readonly #positions: StartPositions;
  readonly #options: SourceOptions;
  readonly #begin: (ranges: readonly ReadRange[]) => void;
  readonly #failed: (error: unknown) => void;
  /** By assignment. */
  readonly #preparing = new Set<Set<TopicPartition>>();

  /** @param begin told from where those that have not been given up meanwhile are to be read */
  constructor(
    driver: OffsetsDriver,
    options: SourceOptions,
    begin: (ranges: readonly ReadRange[]) => void,
    failed: (error: unknown) => void,
  ) {
    this.#positions = new StartPositions(driver, options);
    this.#options = options;
    this.#begin = begin;
    this.#failed = failed;
  }

  get awaited(): readonly TopicPartition[] {
    return [...this.#preparing].flatMap(assignment => [...assignment]);
  }

  /** Partitions are read once the lifecycle, where there is one, has named the offsets. */
  prepare(partitions: readonly TopicPartition[]): void {
    const assignment = new Set(partitions);
    this.#preparing.add(assignment);
    this.#find(assignment).catch((error: unknown) => {
      this.#preparing.delete(assignment);
      if (assignment.size > 0) this.#failed(error);
    });
  }

  giveUp(partition: TopicPartition): void {
    for (const assignment of this.#preparing) {
      for (const each of [...assignment]) if (isSamePartition(each, partition)) assignment.delete(each);
    }
  }

  async #find(assignment: Set<TopicPartition>): Promise<void> {
    const { lifecycle } = this.#options;
    const named: readonly StartOffset[] = lifecycle
      ? await firstValueFrom(lifecycle.assigned([...assignment]), { defaultValue: [] })
      : [];
    const ranges = assignment.size === 0 ? [] : await this.#positions.of([...assignment], named);
    this.#preparing.delete(assignment);
    this.#begin(ranges.filter(range => [...assignment].some(partition => isSamePartition(partition, range))));
  }
}
