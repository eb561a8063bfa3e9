import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BusCondition } from '../../../src/bus/bus-condition.ts';
import type { DriverMember, MemberEvents } from '../../../src/bus/kafka/driver.ts';
import { GroupMembership, type PartitionHolder } from '../../../src/bus/kafka/group-membership.ts';
import { settled } from '../../../src/bus/kafka/kafka-settings.ts';
import { BusError } from '../../../src/core/publisher.ts';

const { consuming } = settled({
  brokers: ['b:1'],
  consuming: { sessionTimeoutMs: 1000, rebalanceTimeoutMs: 2000 },
});

class Group {
  readonly time = new VirtualTimeScheduler();
  readonly condition = new BusCondition();
  readonly joins: MemberEvents[] = [];
  readonly left: number[] = [];
  readonly assigned: (readonly [count: number, continued: boolean])[] = [];
  readonly failures: unknown[] = [];
  refusal: BusError | undefined;
  readonly membership: GroupMembership = new GroupMembership(
    {
      driver: { join: (_group, _topics, _exclusive, _options, events) => this.#join(events) },
      condition: this.condition,
      scheduler: this.time,
      consuming,
    },
    'g',
    ['t'],
    {},
    () => [],
  );
  readonly holder: PartitionHolder = {
    assigned: (partitions, continued) => this.assigned.push([partitions.length, continued]),
    failed: error => this.failures.push(error),
  };

  /** Lets so many ms go by, and every promise settle after each moment. */
  async pass(ms: number): Promise<void> {
    for (const end = this.time.now() + ms; this.time.now() < end;) {
      this.time.maxFrames = this.time.now() + 50;
      this.time.schedule(() => undefined, 50);
      this.time.flush();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }

  get restarts(): number | undefined {
    const figures = { running: true, problems: [], connectedBrokers: 1, activeTopics: 1, activeConsumers: 1 };
    return this.condition.health(figures).metrics.consumerRestarts;
  }

  async #join(events: MemberEvents): Promise<DriverMember> {
    const number = this.joins.push(events);
    await Promise.resolve();
    if (this.refusal) throw this.refusal;
    const leave = (): Promise<undefined> => Promise.resolve(void this.left.push(number));
    return { identity: undefined, commit: () => Promise.resolve(), leave };
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
    void group.joins[0]?.rebalancing();
    await group.pass(2900);
    expect(group.joins).toHaveLength(1);
    await group.pass(200);
    expect(group.joins).toHaveLength(2);
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

  it('ends with what will not pass', async () => {
    const group = new Group();
    await group.membership.begin(group.holder);
    const refusal = new BusError('unauthorized', 'no');
    group.joins[0]?.failed(refusal);
    expect(group.failures).toEqual([refusal]);
  });
});
