/** Work that nobody waits for where it begins, and that is waited for in the end. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  /** @returns the same work, for whoever wants to know what becomes of it */
  add<A>(work: Promise<A>): Promise<A> {
    const tracked = work.finally(() => this.#work.delete(tracked));
    tracked.catch(() => undefined);
    this.#work.add(tracked);
    return tracked;
  }

  /** Once all has settled, and what has begun meanwhile; it never rejects. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
