import { timeOf } from '../files/timed-source.ts';
import type { FeedItem } from '../feed.ts';

/** Events that claim to be this far ahead of their receipt are mistaken and do not move the clock. */
const aheadMs = 5 * 60_000;

/**
 * The event time up to which a live feed may say that everything has been said: the newest event time less
 * some slack for what arrives out of order, never backward, and never by the wall clock alone.
 */
export class LiveClock {
  readonly #slackMs: number;
  #newest = 0;
  #said = 0;

  constructor(slackMs: number, said: number) {
    this.#slackMs = slackMs;
    this.#said = said;
  }

  saw(items: readonly FeedItem[], receivedAt: number): void {
    for (const item of items) {
      const time = timeOf(item);
      if (time !== undefined && time > this.#newest && time <= receivedAt + aheadMs) this.#newest = time;
    }
  }

  /** The time item that is due; undefined where nothing newer was seen since the last. */
  tick(): FeedItem | undefined {
    const time = this.#newest - this.#slackMs;
    if (time <= this.#said) return undefined;
    this.#said = time;
    return { kind: 'time', time };
  }
}
