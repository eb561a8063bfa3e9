import { type SchedulerLike, Subscription } from 'rxjs';
import { reasonOf } from '../core/failure.ts';
import type { Series } from '../runtime/series.ts';
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
  readonly #running = new Set<string>();
  #ended: Promise<unknown> = Promise.resolve();

  /** @param shared makes of a feed one that waits for its turn where several processes share it; default none does */
  constructor(
    feeds: readonly WorkerFeed[],
    scheduler: SchedulerLike,
    logger: Logger,
    shared: (feed: WorkerFeed) => WorkerFeed = feed => feed,
  ) {
    this.#feeds = feeds.map(feed => shared({ ...feed, run: signal => this.#run(feed, signal) }));
    this.#scheduler = scheduler;
    this.#logger = logger;
  }

  /** What is wrong with them, in words. */
  get problems(): readonly string[] {
    return [...this.#problems].map(([feed, problem]) => `feed ${feed}: ${problem}`);
  }

  /** Which of them are run here just now. */
  get series(): readonly Series[] {
    return this.#feeds.map(({ name }) => ({
      name: 'stream_feed_running',
      tags: { feed: name },
      kind: 'gauge',
      value: this.#running.has(name) ? 1 : 0,
    }));
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

  async #run({ name, run }: WorkerFeed, signal: AbortSignal): Promise<unknown> {
    this.#running.add(name);
    this.#logger.info({ feed: name }, 'feed begun');
    try {
      return await run(signal);
    } finally {
      this.#running.delete(name);
    }
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
