import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type { BusHealth } from '../../../../src/bus/health.ts';
import type {
  DriverMember,
  JoinWish,
  MemberEvents,
  MemberOffsets,
} from '../../../../src/bus/kafka/driver.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';
import { GroupMembership, type PartitionHolder } from '../../../../src/bus/kafka/groups/group-membership.ts';
import { ParkedMemberships } from '../../../../src/bus/kafka/groups/parked-memberships.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import { passTime } from '../../../passing-time.ts';

const { consuming } = settled({
  brokers: ['b:1'],
  consuming: { sessionTimeoutMs: 1000, rebalanceTimeoutMs: 2000 },
});

class Group {
  readonly time = new VirtualTimeScheduler();
  readonly condition = new BusCondition();
  readonly joins: MemberEvents[] = [];
  /** Whether members that leave need not be heard any more. */
  isOver = (): boolean => false;
  readonly left: number[] = [];
  readonly assigned: (readonly [count: number, continued: boolean])[] = [];
  readonly failures: unknown[] = [];
  /** How often the holder was told that a topic is not known. */
  unheardOf = 0;
  /** What was committed, and what the holder was told of partitions that go, in order. */
  readonly log: string[] = [];
  readonly partition: FetchedPartition;
  /** Settles what the holder does with partitions that go. */
  finishing: PromiseWithResolvers<void> | undefined;
  refusal: BusError | undefined;
  /** Settles a commit, where it takes its time. */
  committing: PromiseWithResolvers<void> | undefined;
  /** Settles a join, where it takes its time. */
  joining: PromiseWithResolvers<void> | undefined;
  /** Settles a leave, where it takes its time. */
  leaving: PromiseWithResolvers<void> | undefined;
  readonly membership: GroupMembership = new GroupMembership(
    {
      driver: { join: wish => this.#join(wish) },
      condition: this.condition,
      scheduler: this.time,
      consuming,
    },
    'g',
    ['t'],
    {},
    () => [this.partition],
  );
  readonly holder: PartitionHolder = {
    assigned: (partitions, continued) => this.assigned.push([partitions.length, continued]),
    rebalancing: async (going, withinMs) => {
      this.log.push(`finish ${going === 'any' ? going : going.length} within ${withinMs}`);
      await this.finishing?.promise;
    },
    unheardOf: () => this.unheardOf++,
    failed: error => this.failures.push(error),
  };

  constructor() {
    const tracking = {
      scheduler: this.time,
      released: () => undefined,
      redeliverable: () => undefined,
      advanced: () => undefined,
    };
    this.partition = new FetchedPartition(tracking, { topic: 't', partition: 0 }, 0, Infinity);
  }

  /** All before this offset is done. */
  doneUpTo(offset: number): void {
    this.partition.take({
      topic: 't',
      partition: 0,
      records: [],
      nextOffset: offset,
      end: offset,
      undecided: 0,
    });
  }

  /** Lets so many ms go by, and every promise settle after each moment. */
  async pass(ms: number): Promise<void> {
    await passTime(this.time, ms, 50);
  }

  get restarts(): number | undefined {
    return this.#health.metrics.consumerRestarts;
  }

  /** What is wrong right now. */
  get problems(): readonly string[] {
    return this.#health.errors;
  }

  get #health(): BusHealth {
    const figures = { running: true, problems: [], connectedBrokers: 1, activeTopics: 1, activeConsumers: 1 };
    return this.condition.health(figures);
  }

  async #join({ events, isOver }: JoinWish): Promise<DriverMember> {
    const number = this.joins.push(events);
    this.isOver = isOver;
    await this.joining?.promise;
    if (this.refusal) throw this.refusal;
    const leave = async (): Promise<void> => {
      await this.leaving?.promise;
      this.left.push(number);
    };
    const commit = async ({ offsets }: MemberOffsets): Promise<void> => {
      await this.committing?.promise;
      this.log.push(`commit ${offsets.map(({ offset }) => offset).join()}`);
    };
    return { identity: { group: 'g', memberId: String(number), generation: 1 }, commit, leave };
  }
}

const p0 = [{ topic: 't', partition: 0 }];

describe('membership of a group', () => {
  it('is left alone while heartbeats come', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    for (let beat = 0; beat < 10; beat++) {
      await group.pass(500);
      group.joins[0]?.alive();
    }
    expect(group.joins).toHaveLength(1);
    expect(group.restarts).toBeUndefined();
  });

  it('whose heartbeats stop is given up and joined anew within the session time-out, counted and said', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    await group.pass(1100);
    expect(group.assigned).toEqual([
      [1, false],
      [0, false],
    ]);
    expect(group.left).toEqual([1]);
    expect(group.joins).toHaveLength(2);
    expect(group.restarts).toBe(1);
    group.joins[0]?.assigned(p0, true);
    expect(group.assigned).toHaveLength(2);
    group.joins[1]?.assigned(p0, false);
    expect(group.assigned).toHaveLength(3);
  });

  it('waits longer where the group shares partitions out anew', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    void group.joins[0]?.rebalancing('any');
    await group.pass(2900);
    expect(group.joins).toHaveLength(1);
    await group.pass(200);
    expect(group.joins).toHaveLength(2);
  });

  // Kills: a member that goes on giving signs of life, and is never told what it has: what it reads stands still.
  it('that comes to no end of a rebalance is given up and joined anew, whatever signs of life it gives', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    void group.joins[0]?.rebalancing('any');
    for (let beat = 0; beat < 7; beat++) {
      await group.pass(400);
      group.joins[0]?.alive();
    }
    expect(group.joins).toHaveLength(1);
    await group.pass(300);
    expect(group.joins).toHaveLength(2);
    expect(group.problems).toEqual([
      'membership of g: joining anew after a rebalance that had not ended in 3000 ms',
    ]);
    group.joins[1]?.assigned(p0, false);
    await group.pass(900);
    group.joins[1]?.alive();
    await group.pass(900);
    expect(group.joins).toHaveLength(2);
  });

  it('commits what is done, finishes what is in hand of what goes, and commits that before it is given up', async () => {
    const group = new Group();
    group.finishing = Promise.withResolvers();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    group.doneUpTo(5);
    const rejoining = group.joins[0]?.rebalancing(p0).then(() => group.log.push('join'));
    await group.pass(100);
    expect(group.log).toEqual(['finish 1 within 333', 'commit 5']);
    group.doneUpTo(7);
    group.finishing.resolve();
    await group.pass(50);
    await rejoining;
    expect(group.log).toEqual(['finish 1 within 333', 'commit 5', 'commit 7', 'join']);
  });

  it('gives up what is not finished by the deadline, with what was done until then committed', async () => {
    const group = new Group();
    group.finishing = Promise.withResolvers();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    void group.joins[0]?.rebalancing('any').then(() => group.log.push('join'));
    group.doneUpTo(3);
    await group.pass(300);
    expect(group.log).toEqual(['finish any within 333']);
    await group.pass(100);
    expect(group.log).toEqual(['finish any within 333', 'commit 3', 'join']);
  });

  // Kills: a member that joins again at once where it is closed: its last commit is one of a generation that has ended.
  it('takes part in a rebalance only when its last commit is through, though it is closed', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    group.doneUpTo(5);
    group.committing = Promise.withResolvers();
    void group.membership.commit();
    group.membership.stop();
    void group.joins[0]?.rebalancing('any').then(() => group.log.push('join'));
    await group.pass(200);
    expect(group.log).toEqual([]);
    group.committing.resolve();
    await group.pass(50);
    expect(group.log).toEqual(['commit 5', 'join']);
  });

  it('ends where what goes cannot be finished', async () => {
    const group = new Group();
    group.finishing = Promise.withResolvers();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    const rejoining = group.joins[0]?.rebalancing('any');
    group.finishing.reject(new Error('no'));
    await group.pass(50);
    await rejoining;
    expect(group.failures).toEqual([new Error('no')]);
  });

  it('is tried again, ever later, while the brokers are away', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.refusal = new BusError('unavailable', 'away');
    group.joins[0]?.failed(group.refusal);
    await group.pass(2000);
    expect(group.joins.length).toBeGreaterThan(2);
    expect(group.joins.length).toBeLessThan(6);
    expect(group.failures).toEqual([]);
    group.refusal = undefined;
    await group.pass(5000);
    group.joins.at(-1)?.assigned(p0, false);
    expect(group.assigned.at(-1)).toEqual([1, false]);
  });

  it('is tried again where a broker has not heard of a topic, and says so each time', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joins[0]?.assigned(p0, false);
    group.refusal = new BusError('topic-not-found', 'no topic t');
    group.joins[0]?.failed(group.refusal);
    await group.pass(2000);
    expect(group.unheardOf).toBe(group.joins.length);
    expect(group.unheardOf).toBeGreaterThan(2);
    group.refusal = undefined;
    await group.pass(5000);
    group.joins.at(-1)?.assigned(p0, false);
    expect(group.assigned.at(-1)).toEqual([1, false]);
    expect(group.failures).toEqual([]);
  });

  // Kills: two that try to join from then on, of which one is left in the group and does nothing.
  it('is tried once at a time, also where joining hangs, is given up, and fails then', async () => {
    const group = new Group();
    const hanging: typeof group.joining = Promise.withResolvers();
    group.joining = hanging;
    const begun = group.membership.begin(group.holder);
    await group.pass(3100);
    expect(group.joins).toHaveLength(2);
    hanging.reject(new BusError('unavailable', 'away'));
    group.joining = undefined;
    await begun;
    await group.pass(2000);
    expect(group.joins).toHaveLength(3);
    group.joins[2]?.assigned(p0, false);
    expect([group.left, group.failures]).toEqual([[], []]);
  });

  it('ends with what will not pass', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    const refusal = new BusError('unauthorized', 'no');
    group.joins[0]?.failed(refusal);
    expect(group.failures).toEqual([refusal]);
  });

  // Kills: a reader that waits for partitions of a member that could not join, of which only who began it heard.
  it('tells whoever holds it by then that it could not be joined', async () => {
    const group = new Group();
    const joining = (group.joining = Promise.withResolvers());
    const begun = group.membership.begin(group.holder);
    group.membership.park();
    await group.membership.begin({ ...group.holder });
    group.refusal = new BusError('unauthorized', 'no');
    joining.resolve();
    await begun;
    expect([group.failures, group.membership.isOver]).toEqual([[group.refusal], true]);
  });

  it('is not lent again when it has failed with nobody to be told', async () => {
    const group = new Group();
    const parked = new ParkedMemberships();
    await group.membership.begin(group.holder);
    parked.put('g', ['t'], group.membership);
    expect(parked.take('g', ['t'])).toBe(group.membership);
    parked.put('g', ['t'], group.membership);
    group.joins[0]?.failed(new BusError('unauthorized', 'no'));
    expect(parked.take('g', ['t'])).toBeUndefined();
    await parked.leave();
    expect(group.left).toEqual([1]);
  });

  it('is left only when what it was joining or leaving is left as well', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joining = Promise.withResolvers();
    group.leaving = Promise.withResolvers();
    group.joins[0]?.failed(new BusError('unavailable', 'away'));
    await group.pass(1000);
    expect(group.joins).toHaveLength(2);
    let isLeft = false;
    const left = group.membership.leave().then(() => (isLeft = true));
    await group.pass(500);
    group.joining.resolve();
    await group.pass(500);
    expect([isLeft, group.left]).toEqual([false, []]);
    group.leaving.resolve();
    await left;
    expect(group.left.toSorted()).toEqual([1, 2]);
  });

  it('is left all the same where that takes longer than anybody should wait', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    group.joining = Promise.withResolvers();
    group.joins[0]?.failed(new BusError('unavailable', 'away'));
    await group.pass(1000);
    let isLeft = false;
    void group.membership.leave().then(() => (isLeft = true));
    await group.pass(3_900);
    expect([isLeft, group.isOver()]).toEqual([false, false]);
    await group.pass(200);
    expect([isLeft, group.isOver()]).toEqual([true, true]);
  });
});
