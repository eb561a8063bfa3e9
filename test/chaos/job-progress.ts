import { setTimeout as wait } from 'node:timers/promises';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { BusError } from '../../src/core/publisher.ts';
import type { Outcome } from './outcome.ts';

const pollMs = 100;
/** A job that has written nothing for so long does not go on by itself: longer than brokers take to come back, ms. */
export const standstillMs = 120_000;

/** How far a job is, by what it has written of what it should write; while brokers are away that is not known. */
export class JobProgress {
  readonly #bus: EventBus;
  /** How many messages there should be, by topic. */
  readonly #wanted: ReadonlyMap<string, number>;

  constructor(bus: EventBus, wanted: Outcome) {
    this.#bus = bus;
    this.#wanted = new Map(
      [...wanted].map(([topic, { byKey }]) => [topic, [...byKey.values()].flat().length]),
    );
  }

  /** Until it has written this share of everything, from 0 to 1, or stands still. */
  async reached(share: number): Promise<void> {
    const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
    const all = sum(this.#wanted.values());
    await this.#until((written, stillMs) => {
      // What came twice, and markers, count as if they were what is to come.
      const counted = [...this.#wanted].map(([topic, wanted]) => Math.min(wanted, written.get(topic) ?? 0));
      return sum(counted) >= share * all || stillMs >= standstillMs;
    });
  }

  /** Until it has written nothing for so long. */
  async quiet(forMs: number): Promise<void> {
    await this.#until((_, stillMs) => stillMs >= forMs);
  }

  async #until(done: (written: ReadonlyMap<string, number>, stillMs: number) => boolean): Promise<void> {
    let [before, sinceMs] = ['', Date.now()];
    for (;;) {
      const written = await this.#written();
      const now = JSON.stringify([...(written ?? [])]);
      if (written === undefined || now !== before) sinceMs = Date.now();
      before = now;
      if (written !== undefined && done(written, Date.now() - sinceMs)) return;
      await wait(pollMs);
    }
  }

  async #written(): Promise<ReadonlyMap<string, number> | undefined> {
    try {
      const counts = [...this.#wanted.keys()].map(
        async topic => [topic, await this.#countOf(topic)] as const,
      );
      return new Map(await Promise.all(counts));
    } catch (error) {
      if (error instanceof BusError && error.retryable) return undefined;
      throw error;
    }
  }

  async #countOf(topic: string): Promise<number> {
    try {
      const ends = await this.#bus.endOffsets(topic);
      return ends.reduce((total, end) => total + end, 0);
    } catch (error) {
      if (error instanceof BusError && error.code === 'topic-not-found') return 0;
      throw error;
    }
  }
}
