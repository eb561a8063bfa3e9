import { type SchedulerLike, type Subscription, interval } from 'rxjs';
import type { GroupRegistry } from './group-registry.ts';
import type { OpenTopic, TopicCatalog } from './topic-catalog.ts';

const persistIntervalMs = 1000;

/** What a bus does by the clock: retention, compaction, and making committed offsets durable. */
export class Maintenance {
  readonly #topics: TopicCatalog;
  readonly #groups: GroupRegistry;
  readonly #scheduler: SchedulerLike;

  constructor(topics: TopicCatalog, groups: GroupRegistry, scheduler: SchedulerLike) {
    this.#topics = topics;
    this.#groups = groups;
    this.#scheduler = scheduler;
  }

  start(everyMs: number): Subscription {
    const timers = interval(everyMs, this.#scheduler).subscribe(() => this.run());
    timers.add(interval(persistIntervalMs, this.#scheduler).subscribe(() => this.#groups.persist()));
    return timers;
  }

  /** Once over every partition. */
  run(): void {
    const now = this.#scheduler.now();
    for (const topic of this.#topics.all) this.#tidy(topic, now);
  }

  #tidy({ settings, logs }: OpenTopic, now: number): void {
    for (const log of logs) {
      if (settings.compaction) log.store.compact(log.store.nextOffset);
      else log.dropOlderThan(now - settings.retentionMs);
      if (settings.retentionBytes !== undefined) log.shrinkTo(settings.retentionBytes);
    }
  }
}
