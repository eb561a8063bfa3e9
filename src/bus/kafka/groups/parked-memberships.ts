import { UnderWay } from '../under-way.ts';
import type { GroupMembership } from './group-membership.ts';

/**
 * Members of groups between two sources of one session. Leaving and joining with each abort would have all others of
 * the group share out the partitions twice, and abort too.
 */
export class ParkedMemberships {
  readonly #parked = new Map<string, GroupMembership>();
  readonly #leaving = new UnderWay();
  #closed = false;

  /** One of this group that reads these topics, where there is one. */
  take(group: string, topics: readonly string[]): GroupMembership | undefined {
    const name = nameOf(group, topics);
    const membership = this.#parked.get(name);
    this.#parked.delete(name);
    // It may have failed meanwhile, when there was nobody to be told.
    if (!membership?.isOver) return membership;
    void this.#leaving.add(membership.leave());
    return undefined;
  }

  /** Keeps one that its source needs no more. */
  put(group: string, topics: readonly string[], membership: GroupMembership): void {
    const name = nameOf(group, topics);
    if (this.#closed || membership.isOver || this.#parked.has(name)) {
      void this.#leaving.add(membership.leave());
    } else {
      membership.park();
      this.#parked.set(name, membership);
    }
  }

  async leave(): Promise<void> {
    this.#closed = true;
    const parked = [...this.#parked.values()];
    this.#parked.clear();
    for (const membership of parked) void this.#leaving.add(membership.leave());
    await this.#leaving.settled();
  }
}

function nameOf(group: string, topics: readonly string[]): string {
  return `${group}: ${topics.join()}`;
}
