import { type SchedulerLike, Subscription } from 'rxjs';
import type { PartitionLog, Sending } from './partition-log.ts';
import { steadyNow } from '../../core/steady-clock.ts';

interface Held {
  readonly sending: Sending;
  readonly dueAt: number;
}

/** Messages that a fault holds back, with those of their partitions that were sent after them: none overtakes. */
export class DelayedSends {
  readonly #scheduler: SchedulerLike;
  readonly #store: (log: PartitionLog, sending: Sending) => void;
  readonly #queues = new Map<PartitionLog, Held[]>();
  #timers = new Subscription();

  constructor(scheduler: SchedulerLike, store: (log: PartitionLog, sending: Sending) => void) {
    this.#scheduler = scheduler;
    this.#store = store;
  }

  /** Whether something of the partition is held back, so that what follows must be too. */
  holds(log: PartitionLog): boolean {
    return this.#queues.size > 0 && this.#queues.has(log);
  }

  /** Stores the message after the delay, ms, and behind what is held of its partition. */
  hold(log: PartitionLog, sending: Sending, delayMs: number): void {
    const held: Held = { sending, dueAt: steadyNow(this.#scheduler) + delayMs };
    const queue = this.#queues.get(log);
    if (queue) {
      queue.push(held);
    } else {
      this.#queues.set(log, [held]);
      this.#releaseAfter(delayMs, log);
    }
  }

  /** Forgets all of them. */
  clear(): void {
    this.#timers.unsubscribe();
    this.#timers = new Subscription();
    this.#queues.clear();
  }

  #releaseAfter(delayMs: number, log: PartitionLog): void {
    this.#timers.add(this.#scheduler.schedule(() => this.#release(log), delayMs));
  }

  /** The queue stays until it is empty: what is sent by those who hear of it goes behind the rest. */
  #release(log: PartitionLog): void {
    const queue = this.#queues.get(log);
    for (let due = queue?.[0]; queue && due; due = queue[0]) {
      this.#store(log, due.sending);
      if (this.#queues.get(log) !== queue) return; // cleared by who heard of it
      queue.shift();
      const leftMs = (queue[0]?.dueAt ?? 0) - steadyNow(this.#scheduler);
      if (leftMs > 0) {
        this.#releaseAfter(leftMs, log);
        return;
      }
    }
    this.#queues.delete(log);
  }
}
