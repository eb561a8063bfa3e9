import { setTimeout as wait } from 'node:timers/promises';
import type { Collector } from './collector.ts';
import type { Presenter } from './presenter.ts';

/** Shows the state of a run again and again until it is closed. */
export class LiveView {
  readonly #collector: Collector;
  readonly #presenter: Presenter;
  readonly #problems: () => readonly string[];
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  constructor(collector: Collector, presenter: Presenter, problems: () => readonly string[]) {
    this.#collector = collector;
    this.#presenter = presenter;
    this.#problems = problems;
    this.#loop = this.#run();
  }

  /** Shows the end. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    this.#collector.problems(this.#problems());
    this.#presenter.close(await this.#collector.state());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#collector.problems(this.#problems());
      this.#presenter.show(await this.#collector.state());
      await wait(this.#presenter.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
