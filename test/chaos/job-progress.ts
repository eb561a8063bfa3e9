import { setTimeout as wait } from 'node:timers/promises';
import type { LiveReader } from './live-reader.ts';
import type { Outcome } from './outcome.ts';

const pollMs = 100;
/** A job that has written nothing for so long does not go on by itself: longer than brokers take to come back, ms. */
const standstillMs = 120_000;

/** How far a job is, by what anybody can read of what it should write. */
export class JobProgress {
  readonly #live: LiveReader;
  /** How many messages there should be, by topic. */
  readonly #wanted: readonly (readonly [topic: string, count: number])[];

  constructor(live: LiveReader, wanted: Outcome) {
    this.#live = live;
    this.#wanted = [...wanted].map(([topic, { byKey }]) => [topic, [...byKey.values()].flat().length]);
  }

  /** Until this share of everything is there, from 0 to 1, or nothing has come for so long once something had. */
  async reached(share: number, patienceMs = standstillMs): Promise<void> {
    const all = this.#wanted.reduce((sum, [, count]) => sum + count, 0);
    let [before, sinceMs] = [-1, Date.now()];
    for (;;) {
      const there = this.#wanted.reduce(
        (sum, [topic, count]) => sum + Math.min(count, this.#live.idsOf(topic)),
        0,
      );
      if (there !== before) sinceMs = Date.now();
      before = there;
      const waitMs = there === 0 ? standstillMs : patienceMs;
      if (there >= share * all || Date.now() - sinceMs >= waitMs) return;
      await wait(pollMs);
    }
  }
}
