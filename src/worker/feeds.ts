import { type SchedulerLike, Subscription } from 'rxjs';
import { reasonOf } from '../core/failure.ts';
import type { Logger } from './logger.ts';
import { steadyNow } from '../core/steady-clock.ts';

/** Brings data in until it ends or the signal aborts; rejects where it cannot. */
export interface WorkerFeed {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  /** The topic by which one of several processes is chosen to run it; undefined: each runs it. */
  readonly ownedBy?: string;
}

const firstRestartMs = 1_000;
const longestRestartMs = 30_000;
/** A feed that ran for this long is well again: its next failure waits the first time. */
const wellAfterMs = 60_000;

/** Runs feeds; one that fails is started again with backoff, from where it stopped. */
export class Feeds {
  readonly #feeds: readonly WorkerFeed[];
  readonly #scheduler: SchedulerLike;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #problems = new Map<string, string>();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(feeds: readonly WorkerFeed[], scheduler: SchedulerLike, logger: Logger) {
    this.#feeds = feeds;
    this.#scheduler = scheduler;
    this.#logger = logger;
  }

  /** What is wrong with them, in words. */
  get problems(): readonly string[] {
    return [...this.#problems].map(([feed, problem]) => `feed ${feed}: ${problem}`);
  }

  start(): void {
    this.#ended = Promise.all(this.#feeds.map(feed => this.#keep(feed)));
  }

  /** Settles when every feed has come to its end. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Ends them all. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #keep({ name, run }: WorkerFeed): Promise<void> {
    let restartMs = firstRestartMs;
    while (!this.#stopped()) {
      const since = steadyNow(this.#scheduler);
      try {
        await run(this.#stop.signal);
        this.#problems.delete(name);
        this.#logger.info({ feed: name }, 'feed ended');
        return;
      } catch (error) {
        if (this.#stopped()) return;
        if (steadyNow(this.#scheduler) - since >= wellAfterMs) restartMs = firstRestartMs;
        this.#problems.set(name, reasonOf(error));
        this.#logger.error({ feed: name, reason: reasonOf(error), retryInMs: restartMs }, 'feed failed');
        await this.#wait(restartMs);
        restartMs = Math.min(longestRestartMs, restartMs * 2);
      }
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise(resolve => {
      const timer = new Subscription();
      const go = (): void => {
        timer.unsubscribe();
        signal.removeEventListener('abort', go);
        resolve();
      };
      signal.addEventListener('abort', go);
      timer.add(this.#scheduler.schedule(go, ms));
    });
  }
}
