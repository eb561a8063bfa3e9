import { type SchedulerLike, Subscription } from 'rxjs';
import { BusError } from '../../core/publisher.ts';
import type { BusCondition } from '../bus-condition.ts';
import type { SourceOptions, TopicPartition } from '../event-bus.ts';
import type { DriverMember, KafkaDriver, MemberEvents } from './driver.ts';
import type { FetchedPartition } from './fetched-partition.ts';
import type { ConsumingOptions } from './kafka-options.ts';
import { OffsetCommits } from './offset-commits.ts';
import { Watchdog } from './watchdog.ts';

/** What a membership needs of its bus. */
export interface MembershipHost {
  readonly driver: Pick<KafkaDriver, 'join'>;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly consuming: Required<ConsumingOptions>;
}

/** Whoever reads what the group assigns. */
export interface PartitionHolder {
  readonly partitions: readonly FetchedPartition[];
  /** See {@link MemberEvents.assigned}. */
  assigned(partitions: readonly TopicPartition[], continued: boolean): void;
  failed(error: unknown): void;
}

const firstPauseMs = 500;
const maxPauseMs = 10_000;

/**
 * Membership of a group that is kept up: it commits by time and before it gives partitions up, and joins anew where
 * the client has failed for a while, or has shown no sign of life for as long as the group waits for one.
 */
export class GroupMembership {
  readonly #host: MembershipHost;
  readonly #group: string;
  readonly #topics: readonly string[];
  readonly #exclusive: boolean;
  readonly #holder: PartitionHolder;
  readonly #commits: OffsetCommits;
  readonly #watchdog: Watchdog;
  readonly #timers = new Subscription();
  #member: DriverMember | undefined;
  /** How often it has joined; what an earlier member is told no longer counts. */
  #joined = 0;
  #closed = false;

  constructor(
    host: MembershipHost,
    group: string,
    topics: readonly string[],
    { lifecycle, commitIntervalMs = 1000, exclusive = false }: SourceOptions,
    holder: PartitionHolder,
  ) {
    this.#host = host;
    this.#group = group;
    this.#topics = topics;
    this.#exclusive = exclusive;
    this.#holder = holder;
    this.#commits = new OffsetCommits(
      offsets => this.#current().commit(offsets),
      () => holder.partitions,
      lifecycle,
      error => this.#committed(error),
    );
    this.#watchdog = new Watchdog(host.scheduler, silentMs =>
      this.#rejoin(`no sign of life for ${silentMs} ms`),
    );
    this.#every(commitIntervalMs, () => void this.#commits.commit());
  }

  /** @throws BusError where it cannot be joined for good */
  async join(): Promise<void> {
    const { driver, consuming } = this.#host;
    const { sessionTimeoutMs, rebalanceTimeoutMs } = consuming;
    this.#watchdog.alive(rebalanceTimeoutMs + sessionTimeoutMs);
    const number = ++this.#joined;
    const member = await driver.join(
      this.#group,
      this.#topics,
      this.#exclusive,
      consuming,
      this.#eventsOf(number),
    );
    if (this.#closed || number !== this.#joined) void leave(member);
    else this.#member = member;
  }

  commit(): Promise<void> {
    return this.#commits.commit();
  }

  /** No more is committed or assigned from now on, but for what has been asked for. */
  stop(): void {
    this.#closed = true;
    this.#timers.unsubscribe();
    this.#watchdog.stop();
  }

  async leave(): Promise<void> {
    this.stop();
    for (const work of [this.#work, this.#committing]) this.#host.condition.worked(work);
    await this.#member?.leave();
  }

  #eventsOf(number: number): MemberEvents {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#host.consuming;
    const ifCurrent =
      <Args extends readonly unknown[]>(hear: (...args: Args) => void) =>
      (...args: Args): void => {
        if (!this.#closed && number === this.#joined) hear(...args);
      };
    let isFirst = true;
    return {
      alive: ifCurrent(() => this.#watchdog.alive(sessionTimeoutMs)),
      rebalancing: ifCurrent(() => {
        this.#watchdog.alive(rebalanceTimeoutMs + sessionTimeoutMs);
        void this.#commits.commit();
      }),
      assigned: ifCurrent((partitions: readonly TopicPartition[], continued: boolean) => {
        this.#watchdog.alive(sessionTimeoutMs);
        this.#host.condition.worked(this.#work);
        if (!isFirst) this.#host.condition.counted('rebalances', 1);
        isFirst = false;
        this.#holder.assigned(partitions, continued);
      }),
      failed: ifCurrent((error: unknown) => {
        if (error instanceof BusError && error.retryable) this.#rejoin(error.message);
        else this.#holder.failed(error);
      }),
    };
  }

  get #work(): string {
    return `membership of ${this.#group}`;
  }

  get #committing(): string {
    return `committing of ${this.#group}`;
  }

  /** By now the group has given this member up: what it held may be somebody else's already. */
  #rejoin(why: string): void {
    const { condition } = this.#host;
    condition.counted('consumerRestarts', 1);
    condition.noted(`${this.#work}: joining anew after ${why}`);
    const old = this.#member;
    this.#member = undefined;
    this.#joined++;
    if (old) void leave(old);
    this.#holder.assigned([], false);
    void this.#joinAgain(firstPauseMs);
  }

  async #joinAgain(pauseMs: number): Promise<void> {
    try {
      await this.join();
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof BusError && error.retryable)) {
        this.#holder.failed(error);
        return;
      }
      this.#host.condition.failed(this.#work, error);
      this.#timers.add(
        this.#host.scheduler.schedule(() => {
          void this.#joinAgain(Math.min(maxPauseMs, pauseMs * 2));
        }, pauseMs),
      );
    }
  }

  #current(): DriverMember {
    if (this.#member) return this.#member;
    throw new BusError('unavailable', `${this.#group}: the member is out of its group for now`);
  }

  #committed(error: unknown): void {
    if (error === undefined) this.#host.condition.worked(this.#committing);
    else if (!this.#closed) this.#host.condition.failed(this.#committing, error);
  }

  #every(ms: number, act: () => void): void {
    const tick = (): void => {
      act();
      this.#every(ms, act);
    };
    this.#timers.add(this.#host.scheduler.schedule(tick, ms));
  }
}

/** One that is of no more use may not even be able to say so. */
async function leave(member: DriverMember): Promise<void> {
  await member.leave().catch(() => undefined);
}
