import type { Consumer } from './consumer.ts';
import type { PartitionLog } from './partition-log.ts';

/**
 * Runs the bus in turns: first everything that was sent is stored and its senders told, then every consumer
 * that may have something to read delivers a run, and so on until nothing is left to do. What a handler sends
 * while it is being delivered to waits for the next turn, so that every consumer sees every partition in order
 * and the stack stays flat.
 */
export class Dispatcher {
  readonly #consumersOf: (log: PartitionLog) => Iterable<Consumer>;
  #dirty = new Set<PartitionLog>();
  #awake = new Set<Consumer>();
  #held = 0;

  constructor(consumersOf: (log: PartitionLog) => Iterable<Consumer>) {
    this.#consumersOf = consumersOf;
  }

  /** Something was sent to the partition, or room in it became free. */
  touch(log: PartitionLog): void {
    this.#dirty.add(log);
    this.#turn();
  }

  /** The consumer may be able to deliver. */
  wake(consumer: Consumer): void {
    this.#awake.add(consumer);
    this.#turn();
  }

  /** Does several things in one turn. */
  batch(work: () => void): void {
    this.#held++;
    try {
      work();
    } finally {
      this.#held--;
    }
    this.#turn();
  }

  #turn(): void {
    if (this.#held > 0) return;
    this.#held++;
    try {
      while (this.#dirty.size > 0 || this.#awake.size > 0) {
        this.#flush();
        this.#deliver();
      }
    } finally {
      this.#held--;
    }
  }

  #flush(): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const log of dirty) {
      if (!log.flush()) continue;
      for (const consumer of this.#consumersOf(log)) this.#awake.add(consumer);
    }
  }

  #deliver(): void {
    if (this.#awake.size === 0) return;
    const awake = this.#awake;
    this.#awake = new Set();
    for (const consumer of awake) consumer.pump();
  }
}
