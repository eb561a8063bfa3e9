import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import type { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { isSamePartition } from '../../same-partition.ts';
import type { DriverMember, JoinWish, MemberIdentity, MemberOffsets } from '../driver.ts';
import type { ProcessIdentity } from '../groups/member-introduction.ts';
import { Coordinator, findCoordinator, isCoordinatorMove } from './coordinator.ts';
import { type GroupConnections, GroupJoining, type Session } from './group-session.ts';
import { offsetsByTopic } from './offsets-by-topic.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';

/** How long to wait before what has failed is tried again, ms. */
const pauseMs = 200;
/** How often whoever assigns looks for new partitions, ms. */
const lookMs = 60_000;

/** What a group says to one that it no longer knows, or that was away for too long. */
const isOut = new Set<string | undefined>(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/**
 * Membership by the requests of the group's protocol: joining, heartbeats, commits and leaving, and no reading. What a
 * member keeps over a rebalance it goes on reading meanwhile; what it is to give up it commits first, and joins again
 * so that another may have it.
 */
export class PlatformaticMember implements DriverMember {
  readonly #connections: GroupConnections;
  readonly #joining: GroupJoining;
  readonly #wish: JoinWish;
  readonly #left = new AbortController();
  readonly #commits = new Set<Promise<unknown>>();
  #coordinator: number | undefined;
  #memberId = '';
  /** Undefined until it has joined for the first time, and where it is out. */
  #session: Session | undefined;
  #mustJoin = true;
  /** Whether it has been in the group since it was last told what it has. */
  #continued = false;
  #lookedAt = 0;

  private constructor(connections: GroupConnections, joining: GroupJoining, wish: JoinWish) {
    this.#connections = connections;
    this.#joining = joining;
    this.#wish = wish;
  }

  /** @throws BusError where it cannot be joined, or not for as long as the group would have waited */
  static async join(
    connections: GroupConnections,
    identity: ProcessIdentity,
    wish: JoinWish,
  ): Promise<PlatformaticMember> {
    const { group, options } = wish;
    const joining = new GroupJoining(connections, identity, wish);
    const member = new PlatformaticMember(connections, joining, wish);
    const deadline = performance.now() + options.sessionTimeoutMs;
    for (;;) {
      try {
        await member.#rebalance();
        break;
      } catch (error) {
        const problem = member.#problemOf(error, `joining group ${group}`);
        const isLast = connections.talking.isClosed || performance.now() > deadline;
        if (!problem.retryable || isLast) {
          member.leave().catch(() => undefined);
          throw problem;
        }
        await wait(pauseMs);
      }
    }
    void member.#live();
    return member;
  }

  /** In the generation that it is in: where it gives up partitions, what is done in them is committed in the new one. */
  get identity(): MemberIdentity | undefined {
    return (
      this.#session && {
        group: this.#wish.group,
        memberId: this.#memberId,
        generation: this.#session.generation,
      }
    );
  }

  async commit(offsets: MemberOffsets): Promise<void> {
    const committing = this.#commit(offsets);
    const settled = committing.catch(() => undefined).finally(() => this.#commits.delete(settled));
    this.#commits.add(settled);
    await committing;
  }

  async leave(): Promise<void> {
    const { talking, joining } = this.#connections;
    const isKnown = this.#memberId !== '' && !this.#left.signal.aborted;
    this.#left.abort();
    // Whoever waits for others to join waits no more.
    const stopped = joining.close();
    try {
      if (isKnown) await this.#sayGoodbye();
    } finally {
      await Promise.allSettled([stopped, talking.close()]);
    }
  }

  async #sayGoodbye(): Promise<void> {
    const { talking } = this.#connections;
    const { group, isOver } = this.#wish;
    const members = [{ memberId: this.#memberId, groupInstanceId: null }];
    const coordinator = new Coordinator(talking, 'group', group, { atMostMs: Infinity, isOver });
    await coordinator.ask(talking.client.leaveGroupV4.api, group, members);
  }

  /** Gives signs of life, and takes part in rebalances. */
  async #live(): Promise<void> {
    while (!this.#isOver()) {
      try {
        if (this.#mustJoin) await this.#rebalance();
        await this.#pause(this.#wish.options.heartbeatIntervalMs);
        if (!this.#isOver()) await this.#beat();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  #isOver(): boolean {
    return this.#left.signal.aborted;
  }

  async #beat(): Promise<void> {
    const { talking } = this.#connections;
    const generation = this.#session?.generation ?? -1;
    const coordinator = await this.#findCoordinator();
    const { heartbeatV4 } = talking.client;
    await talking.ask(coordinator, heartbeatV4.api, this.#wish.group, generation, this.#memberId, null);
    if (this.#isOver()) return;
    this.#wish.events.alive();
    if (await this.#hasGrown()) await this.#prepare([]);
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isOver()) return;
    const type = typeOf(error);
    if (type === 'REBALANCE_IN_PROGRESS') {
      await this.#prepare([]);
      return;
    }
    const problem = this.#problemOf(error, `membership of group ${this.#wish.group}`);
    if (!problem.retryable) {
      this.#left.abort();
      this.#wish.events.failed(problem);
      return;
    }
    await this.#pause(pauseMs);
  }

  /** What went wrong as one of ours; what follows for this member is noted. */
  #problemOf(error: unknown, doing: string): BusError {
    const type = typeOf(error);
    if (isOut.has(type)) this.#forget(type === 'ILLEGAL_GENERATION');
    // Another may keep the group by now.
    else if (type === undefined || isCoordinatorMove(error)) this.#coordinator = undefined;
    return busErrorOf(error, doing, `Read on group ${this.#wish.group}`);
  }

  /** It is out of the group: what it held may be somebody else's already. */
  #forget(keepsName: boolean): void {
    const held = this.#session?.partitions ?? [];
    if (!keepsName) this.#memberId = '';
    this.#session = undefined;
    this.#mustJoin = true;
    this.#continued = false;
    if (held.length > 0 && !this.#isOver()) this.#wish.events.assigned([], false);
  }

  /** Before it joins again: what goes is finished, and what is done is committed. */
  async #prepare(going: readonly TopicPartition[]): Promise<void> {
    this.#mustJoin = true;
    await this.#wish.events.rebalancing(going);
    await this.#untilCommitted();
  }

  async #rebalance(): Promise<void> {
    const owned = this.#session?.partitions ?? [];
    const coordinator = await this.#findCoordinator();
    const session = await this.#joining.join(coordinator, this.#memberId, owned, id => (this.#memberId = id));
    if (this.#isOver()) return;
    const revoked = owned.filter(held => !session.partitions.some(kept => isSamePartition(kept, held)));
    this.#session = session;
    this.#lookedAt = performance.now();
    // In this generation what it gives up is still nobody else's.
    if (revoked.length > 0) await this.#prepare(revoked);
    else this.#mustJoin = false;
    if (this.#isOver() || this.#session !== session) return;
    const continued = this.#continued;
    this.#continued = true;
    this.#wish.events.assigned(session.partitions, continued);
    if (this.#mustJoin) await this.#rebalance();
  }

  async #commit({ member, offsets }: MemberOffsets): Promise<void> {
    const { talking } = this.#connections;
    try {
      await talking.ask(
        await this.#findCoordinator(),
        talking.client.offsetCommitV8.api,
        member.group,
        member.generation,
        member.memberId,
        null,
        offsetsByTopic(offsets),
      );
    } catch (error) {
      if (typeOf(error) === undefined || isCoordinatorMove(error)) this.#coordinator = undefined;
      throw busErrorOf(error, 'committing offsets', `Read on group ${this.#wish.group}`);
    }
  }

  /** Waits for the commits that are under way or about to begin, and not for long. */
  async #untilCommitted(): Promise<void> {
    const deadline = performance.now() + this.#wish.options.rebalanceTimeoutMs / 2;
    do {
      await setImmediate();
      const left = Math.max(0, deadline - performance.now());
      await Promise.race([Promise.all(this.#commits), this.#pause(left)]);
    } while (this.#commits.size > 0 && performance.now() < deadline && !this.#isOver());
  }

  async #findCoordinator(): Promise<number> {
    this.#coordinator ??= await findCoordinator(this.#connections.talking, this.#wish.group);
    return this.#coordinator;
  }

  /** Whether topics have other partitions than were shared out; whoever shared them out looks, now and then. */
  async #hasGrown(): Promise<boolean> {
    const counts = this.#session?.counts;
    if (counts === undefined || performance.now() < this.#lookedAt + lookMs) return false;
    this.#lookedAt = performance.now();
    const now = await this.#joining.partitionCounts([...counts.keys()]);
    return [...counts].some(([topic, count]) => now.get(topic) !== count);
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#left.signal }).catch(() => undefined);
  }
}
