import { allPartitions } from '../core/state.ts';

/**
 * How a pipeline's state is divided: by source partition, each part moving by itself from process to process, or not
 * at all.
 */
export class StateUnits {
  readonly #isWhole: boolean;

  constructor(members: 'many' | 'one') {
    this.#isWhole = members === 'one';
  }

  /** The unit, and with it the changelog's partition, that the state of a source partition belongs to. */
  of(partition: number): number {
    return this.#isWhole ? 0 : partition;
  }

  /** Units of a pipeline whose input has so many partitions. */
  count(partitions: number): number {
    return this.#isWhole ? 1 : partitions;
  }

  /** Whether state may live here that spans all partitions. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether state of this partition is part of the unit. */
  holds(unit: number, partition: number): boolean {
    return this.#isWhole || (partition !== allPartitions && partition === unit);
  }
}
