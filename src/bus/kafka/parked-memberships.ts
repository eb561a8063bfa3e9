import type { GroupMembership } from './group-membership.ts';

/**
 * Members of groups between two sources of one session. Leaving and joining with each abort would have all others of
 * the group share out the partitions twice, and abort too.
 */
export class ParkedMemberships {
  readonly #parked = new Map<string, GroupMembership>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  /** One of this group that reads these topics, where there is one. */
  take(group: string, topics: readonly string[]): GroupMembership | undefined {
    const name = nameOf(group, topics);
    const membership = this.#parked.get(name);
    this.#parked.delete(name);
    return membership;
  }

  /** Keeps one that its source needs no more. */
  put(group: string, topics: readonly string[], membership: GroupMembership): void {
    const name = nameOf(group, topics);
    if (this.#closed || membership.isOver || this.#parked.has(name)) {
      const leaving = membership.leave().finally(() => this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    } else {
      membership.park();
      this.#parked.set(name, membership);
    }
  }

  async leave(): Promise<void> {
    this.#closed = true;
    const parked = [...this.#parked.values()];
    this.#parked.clear();
    await Promise.allSettled([...this.#leaving, ...parked.map(membership => membership.leave())]);
  }
}

function nameOf(group: string, topics: readonly string[]): string {
  return `${group}: ${topics.join()}`;
}
