import type { Message } from '../core/message.ts';
import type { Settlement } from '../core/settlement.ts';
import type { BusCondition } from './bus-condition.ts';
import { partitionName } from './partition-name.ts';

/** What is known of a delivery that was lost. */
export type LostDelivery = Pick<Message, 'topic' | 'partition' | 'offset' | 'key'>;

/**
 * Notices deliveries that were thrown away unsettled (a plain `filter` outside `each` does that): their duty is
 * garbage while their offset still waits. Watching costs more than delivering, and what is watched stays in memory
 * until a full garbage collection, so the consumer shows it a sample; a faulty chain loses many.
 */
export class UnsettledWatch {
  readonly #registry: FinalizationRegistry<LostDelivery>;

  /**
   * @param isWaiting whether the offset is still in flight
   * @param report told of each delivery that was lost
   */
  constructor(isWaiting: (delivery: LostDelivery) => boolean, report: (lost: LostDelivery) => void) {
    this.#registry = new FinalizationRegistry(delivery => {
      if (isWaiting(delivery)) report(delivery);
    });
  }

  look(duty: Settlement, { topic, partition, offset, key }: Message): void {
    this.#registry.register(duty, { topic, partition, offset, key });
  }
}

/** A watch that tells the bus's health of what was lost, and `onLost`. */
export function watchUnsettled(
  condition: BusCondition,
  isWaiting: (delivery: LostDelivery) => boolean,
  onLost: ((lost: LostDelivery) => void) | undefined,
): UnsettledWatch {
  return new UnsettledWatch(isWaiting, lost => {
    const place = `${partitionName(lost.topic, lost.partition)}@${lost.offset}`;
    condition.noted(`delivery ${place} was thrown away unsettled: a filter outside each() does that`);
    onLost?.(lost);
  });
}
