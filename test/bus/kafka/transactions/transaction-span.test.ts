import { describe, expect, it } from 'vitest';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import {
  type RefusedPlace,
  TransactionSpan,
} from '../../../../src/bus/kafka/transactions/transaction-span.ts';
import { BusError } from '../../../../src/core/publisher.ts';

const place = (partition: number, topic = 't'): TopicPartition => ({ topic, partition });
const text = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** A coordinator that takes one request at a time, and answers when it is told to. */
class FakeCoordinator {
  readonly asked: string[] = [];
  /** Topics that may not be written to. */
  readonly closed = new Set<string>();
  groupFails = false;
  #underWay = 0;
  readonly span: TransactionSpan = new TransactionSpan({
    addPartitions: places => this.#take(places.map(text).join(' '), () => this.#refused(places)),
    addGroup: group =>
      this.#take(`group ${group}`, () => {
        if (this.groupFails) throw new Error('no');
      }),
    isNotAttempted: ({ error }) => error.message === 'not attempted',
    refusalOf: ({ topic }) => new BusError('unauthorized', topic),
    errorOf: () => new BusError('unavailable', 'lost'),
  });

  /** The next requests wait until what is returned is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#until = promise;
    return () => resolve(undefined);
  }

  #until: Promise<unknown> = Promise.resolve();

  async #take<A>(what: string, answer: () => A): Promise<A> {
    expect(++this.#underWay, 'requests at once').toBe(1);
    this.asked.push(what);
    await this.#until;
    this.#underWay--;
    return answer();
  }

  #refused(places: readonly TopicPartition[]): readonly RefusedPlace[] {
    if (!places.some(({ topic }) => this.closed.has(topic))) return [];
    return places.map(each => ({
      ...each,
      error: new Error(this.closed.has(each.topic) ? 'closed' : 'not attempted'),
    }));
  }
}

/** One transaction that writes to these, and commits for a group. */
async function transaction({ span }: FakeCoordinator, ...places: readonly TopicPartition[]): Promise<void> {
  for (const each of places) await span.addPlaces([each]);
  await span.addGroups(['g']);
  span.committed(['g']);
}

describe('what a transaction spans', () => {
  it('is asked for in one request where the transaction before wrote to the same', async () => {
    const coordinator = new FakeCoordinator();
    await transaction(coordinator, place(0), place(1), place(2));
    await transaction(coordinator, place(1), place(2), place(0));
    expect(coordinator.asked).toEqual(['t-0', 't-1', 't-2', 'group g', 't-1 t-0 t-2', 'group g']);
  });

  it('leaves out what the transaction before did not write to', async () => {
    const coordinator = new FakeCoordinator();
    await transaction(coordinator, place(0), place(1));
    await transaction(coordinator, place(0));
    await transaction(coordinator, place(0));
    expect(coordinator.asked.slice(3)).toEqual(['t-0 t-1', 'group g', 't-0', 'group g']);
  });

  it('lets what is known go on while the groups are added', async () => {
    const coordinator = new FakeCoordinator();
    await transaction(coordinator, place(0), place(1));
    await coordinator.span.addPlaces([place(0)]);
    const release = coordinator.hold();
    await coordinator.span.addPlaces([place(1)]);
    expect(coordinator.span.isAdding).toBe(true);
    release();
    await coordinator.span.addGroups(['g']);
    expect(coordinator.span.isAdding).toBe(false);
    expect(coordinator.asked.filter(what => what === 'group g')).toHaveLength(2);
  });

  it('refuses nobody for what only the transaction before wrote to', async () => {
    const coordinator = new FakeCoordinator();
    await transaction(coordinator, place(0, 'gone'), place(0));
    coordinator.closed.add('gone');
    const refusals = await coordinator.span.addPlaces([place(0)]);
    expect(refusals.get(text(place(0)))).toBeUndefined();
    expect(coordinator.asked.slice(3, 5)).toEqual(['t-0 gone-0', 't-0']);
    const own = await coordinator.span.addPlaces([place(0, 'gone')]);
    expect([...own.values()].map(({ code }) => code)).toEqual(['unauthorized']);
  });

  it('asks for a group again by the commit, which tells why it fails', async () => {
    const coordinator = new FakeCoordinator();
    await transaction(coordinator, place(0));
    coordinator.groupFails = true;
    await coordinator.span.addPlaces([place(0)]);
    await expect(coordinator.span.addGroups(['g'])).rejects.toThrow('no');
    expect(coordinator.span.isOpen).toBe(true);
  });

  it('is open from the first request to the commit', async () => {
    const coordinator = new FakeCoordinator();
    expect(coordinator.span.isOpen).toBe(false);
    const adding = coordinator.span.addPlaces([place(0)]);
    expect(coordinator.span.isAdding).toBe(true);
    await adding;
    expect(coordinator.span.isOpen).toBe(true);
    coordinator.span.committed([]);
    expect(coordinator.span.isOpen).toBe(false);
  });
});
