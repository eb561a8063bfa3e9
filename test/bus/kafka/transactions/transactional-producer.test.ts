import { describe, expect, it, vi } from 'vitest';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import { placeName } from '../../../../src/bus/partition-name.ts';
import type { MemberOffsets, PartitionBatch, TransactionsOptions } from '../../../../src/bus/kafka/driver.ts';
import { type ProducerId, nobody } from '../../../../src/bus/kafka/producer-id.ts';
import type {
  EncodedBatch,
  PartitionAnswer,
  ProduceTransport,
} from '../../../../src/bus/kafka/publishing/sequenced-producer.ts';
import { batchAt } from '../../../../src/bus/kafka/records/batch-format.ts';
import type { EndsTransport } from '../../../../src/bus/kafka/transactions/transaction-ends.ts';
import {
  type TransactionTransport,
  type TransactionalId,
  TransactionalProducer,
} from '../../../../src/bus/kafka/transactions/transactional-producer.ts';
import { BusError } from '../../../../src/core/publisher.ts';

/** Brokers that do what they are asked, and tell it, with the epoch of who asks. */
class FakeTransport implements TransactionTransport {
  readonly told: string[] = [];
  isInDoubt = false;
  /** Transactions that the brokers have not ended in all of their partitions. */
  leftOpen: readonly (TopicPartition & ProducerId)[] = [];
  mayNotMark = false;
  /** Under which name the next comes; a coordinator that has forgotten one gives another. */
  producerId = 5n;
  /** What becomes of an end that is asked for. */
  endRefusal: Error | undefined;
  /** Why no new epoch is given. */
  refusal: Error | undefined;
  /** What is answered when the test says so. */
  held: (PromiseWithResolvers<undefined> & { readonly what: string }) | undefined;
  #epoch = -1;

  readonly producing: ProduceTransport = {
    learn: () => Promise.resolve(new Map()),
    leaderOf: () => 1,
    partitionsOf: () => 50,
    identify: () => Promise.reject(new Error('who has a transactional id has an id')),
    produce: (_, batches: readonly EncodedBatch[]): Promise<readonly PartitionAnswer[]> =>
      Promise.resolve(
        batches.map(({ topic, partition, bytes }) => {
          const [epoch, first] = [
            bytes.readInt16BE(batchAt.producerEpoch),
            bytes.readInt32BE(batchAt.baseSequence),
          ];
          this.told.push(`${epoch}: store from ${first}`);
          return { topic, partition, offset: 7, error: undefined };
        }),
      ),
    typeOf: error => (error instanceof Error ? error.message : undefined),
    busErrorOf: (error, doing) =>
      new BusError(
        /AUTHORIZATION/.test(String(error)) ? 'unauthorized' : 'unavailable',
        `${doing}: ${String(error)}`,
      ),
    close: () => Promise.resolve(),
  };

  readonly ends: EndsTransport = {
    producing: this.producing,
    openTransactions: (_node, places) =>
      Promise.resolve(
        places.map(place => ({
          ...place,
          error: undefined,
          open: this.leftOpen
            .filter(open => placeName(open) === placeName(place))
            .map(open => ({ ...open, coordinatorEpoch: 0, startOffset: 0 })),
        })),
      ),
    writeMarker: (_node, open, isCommit) => {
      if (this.mayNotMark) return Promise.reject(new Error('CLUSTER_AUTHORIZATION_FAILED'));
      this.told.push(`mark ${open.producerId} in ${placeName(open)} ${isCommit}`);
      this.leftOpen = this.leftOpen.filter(each => placeName(each) !== placeName(open));
      return Promise.resolve();
    },
    knownTransactions: () => Promise.resolve([]),
  };

  identify(_id: string, _timeoutMs: number, before: ProducerId): Promise<ProducerId> {
    if (this.refusal) return Promise.reject(this.refusal);
    this.told.push(`epoch behind ${before === nobody ? 'nobody' : before.producerEpoch}`);
    this.isInDoubt = false;
    return Promise.resolve({ producerId: this.producerId, producerEpoch: ++this.#epoch });
  }

  addPartitions({ producerEpoch }: TransactionalId, places: readonly TopicPartition[]): Promise<[]> {
    return this.#asked(`${producerEpoch}: add ${places.map(({ partition }) => partition).join()}`).then(
      () => [],
    );
  }

  addGroup({ producerEpoch }: TransactionalId, group: string): Promise<void> {
    return this.#asked(`${producerEpoch}: add ${group}`);
  }

  commitOffsets({ producerEpoch }: TransactionalId, { offsets }: MemberOffsets): Promise<void> {
    return this.#asked(`${producerEpoch}: commit ${offsets.map(({ offset }) => offset).join()}`);
  }

  end({ producerEpoch }: TransactionalId, isCommit: boolean): Promise<void> {
    this.told.push(`${producerEpoch}: end ${isCommit}`);
    return this.endRefusal ? Promise.reject(this.endRefusal) : Promise.resolve();
  }

  hurry(): void {}

  async #asked(what: string): Promise<void> {
    this.told.push(what);
    if (this.held?.what === what) await this.held.promise;
  }
}

const batch: PartitionBatch = {
  topic: 't',
  partition: 3,
  records: [{ key: null, value: null, headers: [] }],
};
const member: MemberOffsets = {
  member: { group: 'g', memberId: 'm', generation: 1 },
  offsets: [{ topic: 'in', partition: 0, offset: 9 }],
};

const options = { timeoutMs: 100, compression: 'none' } as const;

async function opened(
  rest: Partial<TransactionsOptions> = {},
): Promise<{ transport: FakeTransport; producer: TransactionalProducer }> {
  const transport = new FakeTransport();
  return { transport, producer: await TransactionalProducer.open(transport, 'id', { ...options, ...rest }) };
}

/** Of the transactions of producer 5. */
const leftIn = (topic: string, partition: number): TopicPartition & ProducerId => ({
  topic,
  partition,
  producerId: 5n,
  producerEpoch: 0,
});
/** Where the group of `member` has its offsets. */
const ofGroup = leftIn('__consumer_offsets', 3);

describe('transactions of one id', () => {
  it('go on in one epoch, counting on', async () => {
    const { transport, producer } = await opened();
    for (let i = 0; i < 2; i++) {
      await producer.send([batch]);
      await producer.commit([member]);
    }
    expect(transport.told.shift()).toBe('epoch behind nobody');
    const each = (first: number): string[] =>
      ['add 3', `store from ${first}`, 'add g', 'commit 9', 'end true'].map(what => `0: ${what}`);
    expect(transport.told.toSorted()).toEqual([...each(0), ...each(1)].toSorted());
  });

  // Kills: an end that was asked for twice, and arrives again when the next transaction is open, commits that.
  it('take a new epoch behind one of whose requests one may yet arrive', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.isInDoubt = true;
    await producer.commit([member]);
    await Promise.all([producer.send([batch]), producer.send([batch])]);
    const ended = transport.told.indexOf('0: end true');
    expect(transport.told.splice(0, ended + 2).slice(-2)).toEqual(['0: end true', 'epoch behind 0']);
    await producer.commit([member]);
    expect(transport.told.toSorted()).toEqual(
      ['add 3', 'store from 0', 'store from 1', 'add g', 'commit 9', 'end true']
        .map(what => `1: ${what}`)
        .toSorted(),
    );
  });

  it('are as committed as they were told to be where there is no new epoch to be had', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.isInDoubt = true;
    transport.refusal = new Error('PRODUCER_FENCED');
    await producer.commit([member]);
    await expect(producer.send([batch])).rejects.toMatchObject({ code: 'fenced' });
    await expect(producer.commit([member])).rejects.toMatchObject({ code: 'fenced' });
    expect(transport.told.at(-1)).toBe('0: end true');
    transport.refusal = undefined;
    await producer.send([batch]);
    expect(transport.told).toContain('1: store from 0');
  });

  // Kills: offsets that are committed without their outputs, which were aborted when the producer was closed.
  it.each(['0: add 3', '0: add g', '0: commit 9'])(
    'end as they are when their producer is closed before "%s" is answered',
    async what => {
      const { transport, producer } = await opened();
      const held = { what, ...Promise.withResolvers<undefined>() };
      transport.held = held;
      const sending = producer.send([batch]).catch((error: unknown) => error);
      const committing = producer.commit([member]);
      await vi.waitUntil(() => transport.told.includes(what));
      await producer.close();
      const before = [...transport.told];
      held.resolve(undefined);
      await expect(committing).rejects.toMatchObject({ code: 'unavailable' });
      await sending;
      const after = transport.told.filter(each => !before.includes(each));
      expect(after.filter(each => /commit|end/.test(each))).toEqual([]);
    },
  );
});

describe('a transaction that the brokers have left open', () => {
  // Kills: an abort of the next one, which takes back what was committed.
  it('is committed there in another epoch before the next begins', async () => {
    const notes: string[] = [];
    const { transport, producer } = await opened({ noted: what => notes.push(what) });
    await producer.send([batch]);
    transport.leftOpen = [leftIn('t', 3), ofGroup, leftIn('elsewhere', 3)];
    await producer.commit([member]);
    transport.told.length = 0;
    await producer.send([batch]);
    expect(transport.told).toEqual([
      'epoch behind 0',
      'mark 5 in t[3] true',
      'mark 5 in __consumer_offsets[3] true',
      '1: add 3',
      '1: add g',
      '1: store from 0',
    ]);
    expect(notes).toEqual([
      'transaction of id: brokers had left it open although it was committed: ended in t[3], __consumer_offsets[3]',
    ]);
  });

  it('is seen to by whoever goes on under the same id', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.leftOpen = [leftIn('t', 3)];
    await producer.commit([]);
    await producer.close();
    expect(producer.left).toMatchObject([{ isCommitted: true, places: [{ topic: 't', partition: 3 }] }]);
    transport.told.length = 0;
    await TransactionalProducer.open(transport, 'id', { ...options, left: producer.left });
    expect(transport.told).toEqual(['epoch behind nobody', 'mark 5 in t[3] true']);
  });

  it('is aborted where its coordinator has forgotten it, or that it was aborted', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    await producer.close();
    transport.told.length = 0;
    transport.leftOpen = [leftIn('t', 3)];
    transport.producerId = 6n;
    await TransactionalProducer.open(transport, 'id', { ...options, left: producer.left });
    expect(transport.told).toEqual(['epoch behind nobody', 'mark 5 in t[3] false']);
  });

  // Kills: state that is aborted of a transaction whose outputs were committed.
  it.each([
    [
      'is aborted if it is open wherever it was',
      [leftIn('t', 3), ofGroup],
      6n,
      ['t[3]', '__consumer_offsets[3]'],
    ],
    ['is left alone if it has ended anywhere', [leftIn('t', 3)], 6n, []],
    ['is left alone if its coordinator knows it', [leftIn('t', 3), ofGroup], 5n, []],
  ])('and of which it is not known whether it was committed %s', async (_, leftOpen, producerId, marked) => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.endRefusal = new Error('INVALID_PRODUCER_ID_MAPPING');
    await expect(producer.commit([member])).rejects.toMatchObject({ code: 'fenced' });
    await producer.close();
    transport.told.length = 0;
    Object.assign(transport, { leftOpen, producerId });
    await TransactionalProducer.open(transport, 'id', { ...options, left: producer.left });
    expect(transport.told).toEqual([
      'epoch behind nobody',
      ...marked.map(place => `mark 5 in ${place} false`),
    ]);
  });

  it('is committed by one without content where markers may not be written', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.leftOpen = [leftIn('t', 3)];
    transport.mayNotMark = true;
    await producer.commit([member]);
    transport.told.length = 0;
    await producer.send([batch]);
    expect(transport.told.slice(0, 5)).toEqual([
      'epoch behind 0',
      '1: add 3',
      '1: add g',
      '1: end true',
      '1: add 3',
    ]);
  });

  // Kills: an abort of that one, which takes back what was committed before it.
  it('is committed to the end where its producer is closed meanwhile', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    transport.leftOpen = [leftIn('t', 3)];
    transport.mayNotMark = true;
    const held = { what: '1: add g', ...Promise.withResolvers<undefined>() };
    transport.held = held;
    await producer.commit([member]);
    await vi.waitUntil(() => transport.told.includes(held.what));
    const closing = producer.close().then(() => transport.told.push('closed'));
    held.resolve(undefined);
    await closing;
    expect(transport.told.slice(-2)).toEqual(['1: end true', 'closed']);
  });

  it('is told of where it cannot be ended', async () => {
    const { transport, producer } = await opened();
    await producer.send([batch]);
    await producer.close();
    transport.leftOpen = [leftIn('t', 3)];
    transport.mayNotMark = true;
    const notes: string[] = [];
    const noted = (what: string): void => void notes.push(what);
    await TransactionalProducer.open(transport, 'id', { ...options, left: producer.left, noted });
    expect(notes).toEqual([
      "transaction of id: brokers had left it open although it was aborted: grant Alter on the cluster for it to be ended, or let Kafka's kafka-transactions.sh abort it",
    ]);
  });
});
