/** What a client keeps of one coordinator. */
interface Closable {
  /** Waits for nothing any more. */
  close(): void;
}

/** The coordinators of groups that have been asked for, each of them once. */
export class Coordinators<C extends Closable> {
  readonly #open: (group: string) => C;
  readonly #known = new Map<string, C>();

  constructor(open: (group: string) => C) {
    this.#open = open;
  }

  of(group: string): C {
    const known = this.#known.get(group);
    if (known) return known;
    const opened = this.#open(group);
    this.#known.set(group, opened);
    return opened;
  }

  close(): void {
    for (const coordinator of this.#known.values()) coordinator.close();
  }
}
