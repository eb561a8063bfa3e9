import { NEVER, VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import { KafkaSource, type SourceHost } from '../../../../src/bus/kafka/consuming/kafka-source.ts';
import type { MemberEvents } from '../../../../src/bus/kafka/driver.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { KafkaTransaction } from '../../../../src/bus/kafka/transactions/kafka-transaction.ts';
import { passTime } from '../../../passing-time.ts';

const { publishing, consuming } = settled({ brokers: ['b:1'] });
const [p0, p1]: readonly [TopicPartition, TopicPartition] = [
  { topic: 'in', partition: 0 },
  { topic: 'in', partition: 1 },
];

/** A source that commits by a session, as the member of a group that the test is. */
class Member {
  readonly time = new VirtualTimeScheduler();
  readonly broken: string[] = [];
  readonly session: KafkaTransaction;
  readonly source: KafkaSource;
  /** Stores what was sent. */
  readonly stored: (() => void)[] = [];
  #events: MemberEvents | undefined;

  constructor() {
    const topic = {
      name: 'out',
      partitions: 2,
      leaders: [1, 1],
      limits: { maxMessageBytes: 1e6, maxBatchBytes: 1e6 },
    };
    const directory = {
      find: () => topic,
      open: () => Promise.resolve(topic),
      get: () => topic,
      hasLost: () => Promise.resolve(false),
    };
    const [condition, scheduler] = [new BusCondition(), this.time];
    this.session = new KafkaTransaction(
      {
        driver: {
          openTransactions: () =>
            Promise.resolve({
              send: batches => new Promise(resolve => this.stored.push(() => resolve(batches.map(() => 0)))),
              commit: () => Promise.resolve(),
              close: () => Promise.resolve(),
              left: [],
            }),
        },
        directory,
        condition,
        scheduler,
        publishing,
        closed: () => undefined,
      },
      'pipeline-1',
    );
    this.session.broken$.subscribe(({ message }) => this.broken.push(message));
    const driver: SourceHost['driver'] = {
      join: ({ events }) => {
        this.#events = events;
        return Promise.resolve({
          identity: { group: 'g', memberId: 'm', generation: 1 },
          commit: () => Promise.resolve(),
          leave: () => Promise.resolve(),
        });
      },
      openReader: () =>
        Promise.resolve({
          leaderOf: () => 1,
          refresh: () => Promise.resolve(),
          fetch: () => new Promise(() => undefined),
          close: () => Promise.resolve(),
        }),
      endDecided: () => Promise.resolve([]),
      committed: () => Promise.resolve([]),
      stableOffsets: () => Promise.resolve([]),
      listOffsets: () => Promise.resolve(new Map([0, 1].map(partition => [partition, 0]))),
    };
    this.source = new KafkaSource(
      { driver, directory, condition, scheduler, consuming, stallMs: 10_000 },
      ['in'],
      { next: () => undefined, error: () => undefined, complete: () => undefined },
      { group: 'g', transaction: this.session, pause$: NEVER },
    );
  }

  static async joined(): Promise<Member> {
    const member = new Member();
    await member.source.start();
    await member.assigned([p0, p1], false);
    return member;
  }

  async assigned(partitions: readonly TopicPartition[], continued: boolean): Promise<void> {
    this.#events?.assigned(partitions, continued);
    await this.pass();
  }

  async pass(): Promise<void> {
    await passTime(this.time, 10, 10);
  }
}

// Kills: state of a partition that somebody else has by now, and has written since, committed as a member for others.
it('breaks what is being committed when a partition goes before it is told as whom, whatever was done for it', async () => {
  const member = await Member.joined();
  member.session.send({ topic: 'out', key: 'k', payload: Buffer.from('state') }, () => undefined);
  await member.pass();
  const committing = expect(member.session.commit()).rejects.toMatchObject({ code: 'fenced' });
  await member.assigned([p1], true);
  expect(member.broken).toEqual([expect.stringContaining('in[0] went to another member')]);
  member.stored[0]?.();
  await committing;
});

it('lets partitions go of which nothing is open', async () => {
  const member = await Member.joined();
  member.session.send({ topic: 'out', key: 'k', payload: Buffer.from('output') }, () => undefined);
  await member.pass();
  member.stored[0]?.();
  await member.assigned([p1], true);
  await member.session.commit();
  expect(member.broken).toEqual([]);
});
