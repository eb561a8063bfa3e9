import { type SchedulerLike, Subscription } from 'rxjs';
import { inTime } from '../../../core/in-time.ts';
import type { BusError } from '../../../core/publisher.ts';
import type { BusCondition } from '../../bus-condition.ts';
import type { SourceOptions, TopicPartition } from '../../event-bus.ts';
import type { DriverMember, Going, KafkaDriver, MemberEvents, MemberIdentity } from '../driver.ts';
import type { ConsumingOptions } from '../kafka-options.ts';
import { mayPass } from '../protocol-errors.ts';
import { UnderWay } from '../under-way.ts';
import { type CommittedPartition, OffsetCommits } from './offset-commits.ts';
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
  /** See {@link MemberEvents.assigned}. */
  assigned(partitions: readonly TopicPartition[], continued: boolean): void;
  /**
   * Members come or go: settles when this one may give up what goes.
   *
   * @param withinMs after so long it is given up all the same
   */
  rebalancing?(going: Going, withinMs: number): Promise<void>;
  /** A broker does not know a topic: it was deleted, or that broker has yet to hear of it. Joining is tried again. */
  unheardOf(): void;
  failed(error: unknown): void;
}

const firstPauseMs = 500;
const maxPauseMs = 2_000;
/** How long whoever leaves waits for what it is in the middle of, and to be heard, ms. */
const settlingMs = 4_000;
/** And for a rebalance that is under way: nothing can be said in it, and others may have to drain first, ms. */
const rebalancingMs = 6_000;

/**
 * Membership of a group that is kept up: it commits by time and before it gives partitions up, and joins anew where
 * the client has failed for a while, has shown no sign of life for as long as the group waits for one, or has not come
 * to the end of a rebalance in as long as one may take.
 */
export class GroupMembership {
  readonly #host: MembershipHost;
  readonly #group: string;
  readonly #topics: readonly string[];
  readonly #exclusive: boolean;
  /** Where a transaction does not commit. */
  readonly #commits: OffsetCommits | undefined;
  readonly #watchdog: Watchdog;
  readonly #timers = new Subscription();
  #holder: PartitionHolder | undefined;
  /** What the group has assigned, for a holder that comes later. */
  #assigned: readonly TopicPartition[] | undefined;
  #member: DriverMember | undefined;
  /** Joins and leaves that are under way: a group waits long for a member that has ended without a word. */
  readonly #underWay = new UnderWay();
  /** How often it has joined; what an earlier member is told no longer counts. */
  #joined = 0;
  /** It was told that partitions may go, and not yet which are its own from then on. */
  #isRebalancing = false;
  #closed = false;
  /** Who has not been able to leave by then need not any more. */
  #over = false;
  #hasFailed = false;

  constructor(
    host: MembershipHost,
    group: string,
    topics: readonly string[],
    { lifecycle, commitIntervalMs = 1000, exclusive = false, transaction }: SourceOptions,
    partitions: () => readonly CommittedPartition[],
  ) {
    this.#host = host;
    this.#group = group;
    this.#topics = topics;
    this.#exclusive = exclusive;
    this.#commits =
      transaction === undefined
        ? new OffsetCommits(
            () => this.#member,
            partitions,
            lifecycle,
            error => this.#committed(error),
          )
        : undefined;
    this.#watchdog = new Watchdog(host.scheduler, silentMs =>
      this.#rejoin(
        this.#isRebalancing
          ? `a rebalance that had not ended in ${silentMs} ms`
          : `no sign of life for ${silentMs} ms`,
      ),
    );
    if (this.#commits) this.#every(commitIntervalMs, () => void this.commit());
  }

  /** Who this member is to its group; undefined while it has no partitions of its own to speak for. */
  get identity(): MemberIdentity | undefined {
    return this.#member?.identity;
  }

  /** Whether it is a member no more, and cannot become one. */
  get isOver(): boolean {
    return this.#closed || this.#hasFailed;
  }

  /** Stays in the group without a holder. */
  park(): void {
    this.#holder = undefined;
  }

  /**
   * Joins, and tells this holder what the group assigns; one that is parked is told at once what it has, as if that
   * had come just now.
   *
   * @throws BusError where it cannot be joined for good
   */
  async begin(holder: PartitionHolder): Promise<void> {
    this.#holder = holder;
    if (this.#assigned) holder.assigned(this.#assigned, false);
    if (this.#joined > 0) return;
    try {
      await this.#join();
    } catch (error) {
      this.#hasFailed = true;
      if (this.#holder === holder) throw error;
      // Who has begun it has left it to another.
      this.#fail(error);
    }
  }

  /** @throws BusError where it could not, unless it has begun to join anew meanwhile */
  async #join(): Promise<void> {
    const { driver, consuming } = this.#host;
    const { sessionTimeoutMs, rebalanceTimeoutMs } = consuming;
    this.#isRebalancing = false;
    this.#watchdog.alive(rebalanceTimeoutMs + sessionTimeoutMs);
    const number = ++this.#joined;
    const joining = driver.join({
      group: this.#group,
      topics: this.#topics,
      exclusive: this.#exclusive,
      options: consuming,
      events: this.#eventsOf(number),
      isOver: () => this.#over,
    });
    try {
      const member = await this.#underWay.add(joining);
      if (this.#closed || number !== this.#joined) this.#leave(member);
      else this.#member = member;
    } catch (error) {
      if (number === this.#joined) throw error;
    }
  }

  #leave(member: DriverMember): void {
    void this.#underWay.add(member.leave().catch(() => undefined));
  }

  async commit(): Promise<void> {
    await this.#commits?.commit();
  }

  /** What cannot be committed in time comes again, to whoever has it next. */
  async commitInTime(withinMs: number = settlingMs): Promise<void> {
    await inTime(this.commit(), withinMs, this.#host.scheduler, () => undefined);
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
    if (this.#member) this.#leave(this.#member);
    const withinMs = this.#isRebalancing ? rebalancingMs : settlingMs;
    await inTime(this.#underWay.settled(), withinMs, this.#host.scheduler, () => undefined);
    this.#over = true;
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
      alive: ifCurrent(() => {
        // A sign of life does not tell that a rebalance will come to its end.
        if (!this.#isRebalancing) this.#watchdog.alive(sessionTimeoutMs);
      }),
      rebalancing: async going => {
        if (number !== this.#joined) return;
        // What has been asked for before it was closed is of the generation that ends.
        if (this.#closed) return this.#commitBeforeJoining();
        this.#isRebalancing = true;
        this.#watchdog.alive(rebalanceTimeoutMs + sessionTimeoutMs);
        await this.#giveUp(going);
        // Not to be handed to a holder that comes now: it may be taken away at once.
        if (number === this.#joined) this.#assigned = undefined;
      },
      assigned: ifCurrent((partitions: readonly TopicPartition[], continued: boolean) => {
        this.#isRebalancing = false;
        this.#watchdog.alive(sessionTimeoutMs);
        // What it could not commit as who it was is another's, or is committed again.
        for (const work of [this.#work, this.#committing]) this.#host.condition.worked(work);
        if (!isFirst) this.#host.condition.counted('rebalances', 1);
        isFirst = false;
        this.#assign(partitions, continued);
      }),
      failed: ifCurrent((error: unknown) => {
        if (!mayPass(error)) return this.#fail(error);
        this.#rejoin(error.message);
        this.#tellIfUnheardOf(error);
      }),
    };
  }

  /** Commits what is done, waits for what is in hand of the partitions that go, and commits that while it may. */
  async #giveUp(going: Going): Promise<void> {
    const { scheduler, consuming } = this.#host;
    const { drainMs } = consuming;
    void this.commit();
    const finished = this.#holder?.rebalancing?.(going, drainMs).catch((error: unknown) => this.#fail(error));
    if (finished) await inTime(finished, drainMs, scheduler, () => undefined);
    await this.#commitBeforeJoining();
  }

  #commitBeforeJoining(): Promise<void> {
    return this.commitInTime(this.#host.consuming.sessionTimeoutMs / 4);
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
    condition.failed(this.#work, `joining anew after ${why}`);
    const old = this.#member;
    this.#member = undefined;
    this.#joined++;
    if (old) this.#leave(old);
    this.#assign([], false);
    void this.#joinAgain(firstPauseMs);
  }

  async #joinAgain(pauseMs: number): Promise<void> {
    try {
      await this.#join();
    } catch (error) {
      if (this.#closed) return;
      if (!mayPass(error)) {
        this.#fail(error);
        return;
      }
      this.#host.condition.failed(this.#work, error);
      this.#tellIfUnheardOf(error);
      this.#timers.add(
        this.#host.scheduler.schedule(() => {
          void this.#joinAgain(Math.min(maxPauseMs, pauseMs * 2));
        }, pauseMs),
      );
    }
  }

  #tellIfUnheardOf({ code }: BusError): void {
    if (code === 'topic-not-found') this.#holder?.unheardOf();
  }

  #assign(partitions: readonly TopicPartition[], continued: boolean): void {
    this.#assigned = partitions;
    this.#holder?.assigned(partitions, continued);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#holder?.failed(error);
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
