import { describe, expect, it } from 'vitest';
import type { TopicPartition } from '../../../src/bus/event-bus.ts';
import type { MemberOffsets, PartitionBatch } from '../../../src/bus/kafka/driver.ts';
import { batchAt } from '../../../src/bus/kafka/records/batch-format.ts';
import {
  type EncodedBatch,
  type PartitionAnswer,
  type ProduceTransport,
  type ProducerId,
  nobody,
} from '../../../src/bus/kafka/sequenced-producer.ts';
import {
  type TransactionTransport,
  type TransactionalId,
  TransactionalProducer,
} from '../../../src/bus/kafka/transactional-producer.ts';
import { BusError } from '../../../src/core/publisher.ts';

/** Brokers that do what they are asked, and tell it, with the epoch of who asks. */
class FakeTransport implements TransactionTransport {
  readonly told: string[] = [];
  isInDoubt = false;
  /** Why no new epoch is given. */
  refusal: Error | undefined;
  #epoch = -1;

  readonly producing: ProduceTransport = {
    learn: () => Promise.resolve(new Map()),
    leaderOf: () => 1,
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
    busErrorOf: (error, doing) => new BusError('unavailable', `${doing}: ${String(error)}`),
    close: () => Promise.resolve(),
  };

  identify(_id: string, _timeoutMs: number, before: ProducerId): Promise<ProducerId> {
    if (this.refusal) return Promise.reject(this.refusal);
    this.told.push(`epoch behind ${before === nobody ? 'nobody' : before.producerEpoch}`);
    this.isInDoubt = false;
    return Promise.resolve({ producerId: 5n, producerEpoch: ++this.#epoch });
  }

  addPartitions({ producerEpoch }: TransactionalId, places: readonly TopicPartition[]): Promise<[]> {
    this.told.push(`${producerEpoch}: add ${places.map(({ partition }) => partition).join()}`);
    return Promise.resolve([]);
  }

  addGroup({ producerEpoch }: TransactionalId, group: string): Promise<void> {
    this.told.push(`${producerEpoch}: add ${group}`);
    return Promise.resolve();
  }

  commitOffsets({ producerEpoch }: TransactionalId, { offsets }: MemberOffsets): Promise<void> {
    this.told.push(`${producerEpoch}: commit ${offsets.map(({ offset }) => offset).join()}`);
    return Promise.resolve();
  }

  end({ producerEpoch }: TransactionalId, isCommit: boolean): Promise<void> {
    this.told.push(`${producerEpoch}: end ${isCommit}`);
    return Promise.resolve();
  }

  hurry(): void {}
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

async function opened(): Promise<{ transport: FakeTransport; producer: TransactionalProducer }> {
  const transport = new FakeTransport();
  const options = { timeoutMs: 1_000, compression: 'none' } as const;
  return { transport, producer: await TransactionalProducer.open(transport, 'id', options) };
}

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
    expect(transport.told.splice(0).at(-1)).toBe('0: end true');
    await Promise.all([producer.send([batch]), producer.send([batch])]);
    expect(transport.told.shift()).toBe('epoch behind 0');
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
});
