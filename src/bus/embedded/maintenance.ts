import { type SchedulerLike, type Subscription, interval } from 'rxjs';
import type { BusCondition } from '../bus-condition.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { OpenTopic, TopicCatalog } from './topic-catalog.ts';

const persistIntervalMs = 1000;

/** What a bus does by the clock: retention, compaction, and making committed offsets durable. */
export class Maintenance {
  readonly #topics: TopicCatalog;
  readonly #groups: GroupRegistry;
  readonly #scheduler: SchedulerLike;
  readonly #condition: BusCondition;

  constructor(
    topics: TopicCatalog,
    groups: GroupRegistry,
    scheduler: SchedulerLike,
    condition: BusCondition,
  ) {
    this.#topics = topics;
    this.#groups = groups;
    this.#scheduler = scheduler;
    this.#condition = condition;
  }

  start(everyMs: number): Subscription {
    const timers = interval(everyMs, this.#scheduler).subscribe(() => this.run());
    timers.add(this.persistEvery(persistIntervalMs));
    return timers;
  }

  /** Makes committed offsets durable this often, until unsubscribed. */
  persistEvery(ms: number): Subscription {
    return interval(ms, this.#scheduler).subscribe(() => this.#persist());
  }

  /** Once over every partition. */
  run(): void {
    const now = this.#scheduler.now();
    this.#guarded('retention and compaction', () => {
      for (const topic of this.#topics.all) this.#tidy(topic, now);
    });
  }

  #persist(): void {
    this.#guarded('keeping committed offsets', () => this.#groups.persist());
  }

  /** What fails by the clock, a full disk for one, is told by `health` and tried again the next time. */
  #guarded(what: string, work: () => void): void {
    try {
      work();
      this.#condition.worked(what);
    } catch (cause) {
      this.#condition.failed(what, cause);
    }
  }

  #tidy({ settings, logs }: OpenTopic, now: number): void {
    for (const log of logs) {
      if (settings.compaction) log.store.compact(log.store.nextOffset);
      else log.dropOlderThan(now - settings.retentionMs);
      if (settings.retentionBytes !== undefined) log.shrinkTo(settings.retentionBytes);
    }
  }
}
