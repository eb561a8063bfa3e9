import { dlqHeaders } from '../../core/dead-letter.ts';
import type { MessageHeaders } from '../../core/headers.ts';
import { normaliseReason } from '../../dlq/normalise-reason.ts';
import { isOfFeed } from '../../feeds/feed-topics.ts';
import type { DeadLetterTally } from '../view/live-state.ts';

/** Reasons are words of ours, but a hostile payload could make them many. */
const mostReasons = 100;
const otherReasons = 'other reasons';

/** Counts the dead letters of a run, by whom they are of and by reason. */
export class BuriedLetters {
  readonly #reasons = new Map<string, number>();
  count = 0;
  /** Those among them that are of the feed. */
  ofFeed = 0;

  add(headers: MessageHeaders): void {
    this.count++;
    if (isOfFeed(headers)) this.ofFeed++;
    const reason = normaliseReason(headers.get(dlqHeaders.reason) ?? 'unknown');
    const isKnown = this.#reasons.has(reason) || this.#reasons.size < mostReasons;
    const group = isKnown ? reason : otherReasons;
    this.#reasons.set(group, (this.#reasons.get(group) ?? 0) + 1);
  }

  /** The most frequent first. */
  get reasons(): readonly DeadLetterTally[] {
    const tallies = [...this.#reasons].map(([reason, count]) => ({ reason, count }));
    return tallies.toSorted((a, b) => b.count - a.count);
  }
}
