import { describe, expect, it } from 'vitest';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import { placeName } from '../../../../src/bus/partition-name.ts';
import type { EndedTransaction } from '../../../../src/bus/kafka/driver.ts';
import { offsetsPlaceOf } from '../../../../src/bus/kafka/transactions/offsets-topic.ts';
import { ownId } from '../../../../src/bus/kafka/transactions/own-id.ts';
import {
  type EndsTransport,
  type KnownTransaction,
  type OpenTransaction,
  type PartitionTransactions,
  TransactionEnds,
} from '../../../../src/bus/kafka/transactions/transaction-ends.ts';
import { BusError } from '../../../../src/core/publisher.ts';

const ended: EndedTransaction = {
  producer: { producerId: 5n, producerEpoch: 2 },
  isCommitted: true,
  places: [
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 1 },
  ],
  groups: [],
};
const openIn = (place: TopicPartition, producerId = 5n): OpenTransaction => ({
  ...place,
  producerId,
  producerEpoch: 2,
  coordinatorEpoch: 7,
  startOffset: 12,
});

/** Leaders of partitions, in which transactions are open until they are marked. */
class Leaders implements EndsTransport {
  readonly log: string[] = [];
  open: readonly OpenTransaction[] = [];
  known: readonly KnownTransaction[] = [];
  /** What coordinators answer. */
  asked: () => readonly KnownTransaction[] = () => this.known;
  /** What each next question is refused with, by topic. */
  refusals: Readonly<Record<string, string>>[] = [];
  /** How often a partition is said to have no leader. */
  leaderless = 0;

  readonly producing: EndsTransport['producing'] = {
    learn: (topics, anew) => {
      this.log.push(`learn ${topics.join()}${anew ? ' anew' : ''}`);
      return Promise.resolve(new Map());
    },
    leaderOf: ({ topic }) => (topic === 'b' && this.leaderless-- > 0 ? undefined : 1),
    partitionsOf: () => 50,
    typeOf: error => (error instanceof Error ? error.message : undefined),
    busErrorOf: (error, doing) => new BusError('unavailable', `${doing}: ${String(error)}`),
  };

  openTransactions(_node: number, places: readonly TopicPartition[]): Promise<PartitionTransactions[]> {
    const refusals = this.refusals.shift() ?? {};
    return Promise.resolve(
      places.map(place => {
        const why = refusals[place.topic];
        const open = this.open.filter(each => placeName(each) === placeName(place));
        return { ...place, error: why === undefined ? undefined : new Error(why), open };
      }),
    );
  }

  knownTransactions(): Promise<readonly KnownTransaction[]> {
    return Promise.resolve(this.asked());
  }

  writeMarker(node: number, open: OpenTransaction, isCommit: boolean): Promise<void> {
    this.log.push(`${node}: mark ${placeName(open)} ${isCommit}`);
    this.open = this.open.filter(each => each !== open);
    return Promise.resolve();
  }
}

const [a, b] = [openIn({ topic: 'a', partition: 0 }), openIn({ topic: 'b', partition: 1 })];

describe('the ends of a transaction', () => {
  it('are there where nothing of its producer is open', async () => {
    const leaders = new Leaders();
    leaders.open = [openIn(a, 6n)];
    expect(await new TransactionEnds(leaders, 100).isOpen(ended)).toBe(false);
  });

  it('may come a little later', async () => {
    const leaders = new Leaders();
    leaders.open = [b];
    const asked = new TransactionEnds(leaders, 1_000).isOpen(ended);
    leaders.open = [];
    expect(await asked).toBe(false);
  });

  it('are written by its producer where they do not come, and nowhere else', async () => {
    const leaders = new Leaders();
    leaders.open = [b, openIn(a, 6n)];
    const ends = new TransactionEnds(leaders, 20);
    expect(await ends.isOpen(ended)).toBe(true);
    leaders.log.length = 0;
    expect(await ends.end(ended, true)).toEqual([b]);
    expect(leaders.log).toEqual(['learn a,b', '1: mark b[1] true']);
  });

  it('are asked for until there is somebody who can tell', async () => {
    const leaders = new Leaders();
    leaders.open = [a];
    leaders.leaderless = 1;
    leaders.refusals = [{ a: 'NOT_LEADER_OR_FOLLOWER' }, { a: 'UNKNOWN_TOPIC_OR_PARTITION' }];
    expect(await new TransactionEnds(leaders, 1_000).end(ended, false)).toEqual([a]);
    expect(leaders.log.slice(0, 4)).toEqual([
      'learn a,b',
      'learn a,b anew',
      'learn a,b anew',
      'learn a,b anew',
    ]);
  });

  it('are not known where the brokers cannot be asked for long', async () => {
    const leaders = new Leaders();
    leaders.leaderless = Infinity;
    const asked = new TransactionEnds(leaders, 20).isOpen(ended);
    await expect(asked).rejects.toThrow('no broker leads b[1] now');
  });

  it('are not looked for where that is not allowed', async () => {
    const leaders = new Leaders();
    leaders.open = [b];
    leaders.refusals = [{ b: 'TOPIC_AUTHORIZATION_FAILED' }];
    const ends = new TransactionEnds(leaders, 1_000);
    expect(await ends.isOpen(ended)).toBe(false);
    expect(await ends.isOpen(ended)).toBe(false);
    expect(leaders.log).toEqual(['learn a,b', 'learn a']);
  });

  it('of offsets are where the brokers keep those of the group', async () => {
    const leaders = new Leaders();
    const offsets = { topic: '__consumer_offsets', partition: 22 };
    expect(offsetsPlaceOf('hello', 50)).toEqual(offsets);
    leaders.open = [openIn(offsets)];
    const ofGroup = { ...ended, places: [], groups: ['hello'] };
    expect(await new TransactionEnds(leaders, 20).isOpen(ofGroup)).toBe(true);
  });

  it('of a group whose name has the one hash in Java that has no absolute value too', () => {
    expect(offsetsPlaceOf('polygenelubricants', 50).partition).toBe(0);
  });
});

describe('transactions that are open in a partition', () => {
  const known = (state: string, id = ownId('momentum-1')): KnownTransaction => ({
    id,
    producerId: 5n,
    state,
  });

  // Kills: what is written behind a transaction whose worker was killed is seen by nobody.
  it.each([
    ['committed', 'CompleteCommit', true],
    ['aborted', 'CompleteAbort', false],
  ])('are %s where their coordinator has done so', async (_, state, isCommit) => {
    const leaders = new Leaders();
    leaders.open = [a, openIn(a, 6n)];
    leaders.known = [known(state)];
    expect(await new TransactionEnds(leaders, 1_000).endDecided(a)).toEqual([isCommit]);
    expect(leaders.log).toEqual(['learn a', 'learn a', `1: mark a[0] ${isCommit}`]);
  });

  // Kills: the next one of its producer is committed before its time.
  it('are left alone where one has ended when its coordinator is asked, and the next is open', async () => {
    const leaders = new Leaders();
    leaders.open = [a];
    leaders.asked = () => {
      leaders.open = [{ ...a, startOffset: 30 }];
      leaders.asked = () => (leaders.known = [known('Ongoing')]);
      return [known('CompleteCommit')];
    };
    expect(await new TransactionEnds(leaders, 1_000).endDecided(a)).toEqual([]);
    expect(leaders.log).toEqual(['learn a', 'learn a']);
  });

  // Kills: one that may still be committed is aborted; of what others do it is not known in which order.
  it.each([
    ['is under way', [known('Ongoing')]],
    ['is being decided', [known('PrepareCommit')]],
    ['is known for nothing', [known('Empty')]],
    ['is known to nobody', []],
    ['is not of this framework', [known('CompleteCommit', 'ledger-7')]],
  ])('are left alone where one %s', async (_, transactions) => {
    const leaders = new Leaders();
    leaders.open = [a];
    leaders.known = transactions;
    expect(await new TransactionEnds(leaders, 1_000).endDecided(a)).toEqual([]);
    expect(leaders.log).toEqual(['learn a']);
  });
});
