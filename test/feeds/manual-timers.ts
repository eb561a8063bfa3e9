import type { Timers } from '../../src/feeds/live/timers.ts';

interface Waiting {
  readonly at: number;
  readonly run: () => void;
}

/** Time that passes only when told to. */
export class ManualTimers implements Timers {
  readonly #waiting = new Set<Waiting>();
  #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#waiting.size;
  }

  after(delayMs: number, run: () => void): () => void {
    const waiting = { at: this.#now + delayMs, run };
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#waiting.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }
}
