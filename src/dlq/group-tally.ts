import type { DeadLetter } from '../core/dead-letter.ts';
import { type LetterGroup, failedAt, joined, kindOf } from './letter-group.ts';

/** Groups at most: reasons come from outside, and each may be of its own kind. */
const maxGroups = 10_000;

/** Counts letters by kind, in bounded memory. */
export class GroupTally {
  readonly #groups = new Map<string, LetterGroup>();
  /** Letters of kinds that came when there was no room for another. */
  ungrouped = 0;

  /** The largest group first. */
  get groups(): readonly LetterGroup[] {
    return [...this.#groups.values()].toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  }

  count(letter: DeadLetter): void {
    const at = failedAt(letter);
    this.add({ ...kindOf(letter), count: 1, firstAt: at, lastAt: at, example: letter.id });
  }

  /** Adds what was counted elsewhere. */
  add(group: LetterGroup): void {
    const known = this.#groups.get(group.id);
    if (known) this.#groups.set(group.id, joined(known, group));
    else if (this.#groups.size < maxGroups) this.#groups.set(group.id, group);
    else this.ungrouped += group.count;
  }
}
