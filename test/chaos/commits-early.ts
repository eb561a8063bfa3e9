import { FetchedPartition } from '../../src/bus/kafka/fetched-partition.ts';

/*
 * A bug, for the checker to find: a process that loads this first commits what it has read, whether it has been
 * handled or not.
 */
Object.defineProperty(FetchedPartition.prototype, 'settledUpTo', {
  get(this: FetchedPartition) {
    return this.position;
  },
});
