import type { Message } from '../core/message.ts';
import type { BusCondition } from './bus-condition.ts';
import { partitionName } from './partition-name.ts';
import type { Due } from './source-duty.ts';

/** What is known of a delivery that was lost. */
export type LostDelivery = Pick<Message, 'topic' | 'partition' | 'offset' | 'key'>;

/**
 * Notices deliveries that were thrown away unsettled (a plain `filter` outside `each` does that): their duty is
 * garbage while their offset still waits. Watching costs more than delivering, so the consumer shows it a sample; a
 * faulty chain loses many. What is watched stays in memory until a full garbage collection, so that is a mark of the
 * duty and not the duty itself, whose message may be part of megabytes that were received with it.
 */
export class UnsettledWatch {
  readonly #registry: FinalizationRegistry<Watched>;

  /** @param report told of each delivery that was lost */
  constructor(report: (lost: LostDelivery) => void) {
    this.#registry = new FinalizationRegistry(({ delivery, isOut }) => {
      if (isOut()) report(delivery);
    });
  }

  look(due: Due): void {
    const { topic, partition, offset, key } = due.message;
    due.mark = {};
    this.#registry.register(due.mark, {
      delivery: { topic, partition, offset, key },
      isOut: due.whetherOut(),
    });
  }
}

interface Watched {
  readonly delivery: LostDelivery;
  readonly isOut: () => boolean;
}

/** A watch that tells the bus's health of what was lost, and `onLost`. */
export function watchUnsettled(
  condition: BusCondition,
  onLost: ((lost: LostDelivery) => void) | undefined,
): UnsettledWatch {
  return new UnsettledWatch(lost => {
    const place = `${partitionName(lost.topic, lost.partition)}@${lost.offset}`;
    condition.noted(`delivery ${place} was thrown away unsettled: a filter outside each() does that`);
    onLost?.(lost);
  });
}
