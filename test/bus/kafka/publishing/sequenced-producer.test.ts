import { describe, expect, it } from 'vitest';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import type { PartitionBatch, StoreOutcome } from '../../../../src/bus/kafka/driver.ts';
import {
  type EncodedBatch,
  type PartitionAnswer,
  type ProduceTransport,
  SequencedProducer,
} from '../../../../src/bus/kafka/publishing/sequenced-producer.ts';
import { batchAt } from '../../../../src/bus/kafka/records/batch-format.ts';
import { BusError } from '../../../../src/core/publisher.ts';

/** Brokers that answer as they are told to, and remember what they were sent. */
class FakeTransport implements ProduceTransport {
  /** Who leads a partition: node 1 all of them. */
  leaders: (place: TopicPartition) => number | undefined = () => 1;
  /** What is the matter with the next batches, one answer each: the protocol's name of the error. */
  readonly faults: (string | undefined)[] = [];
  /** Node, partition, producer id and first sequence. */
  readonly sent: string[] = [];
  readonly learned: string[] = [];
  problems: ReadonlyMap<string, unknown> = new Map();
  isAway = false;
  #ids = 0n;

  learn(topics: readonly string[], anew: boolean): Promise<ReadonlyMap<string, unknown>> {
    this.learned.push(`${topics.join()}${anew ? ' anew' : ''}`);
    return Promise.resolve(this.problems);
  }

  leaderOf(place: TopicPartition): number | undefined {
    return this.leaders(place);
  }

  partitionsOf(): number {
    return 1;
  }

  identify(): Promise<{ producerId: bigint; producerEpoch: number }> {
    return Promise.resolve({ producerId: ++this.#ids, producerEpoch: 0 });
  }

  produce(node: number, batches: readonly EncodedBatch[]): Promise<readonly PartitionAnswer[]> {
    if (this.isAway) return Promise.reject(new Error('connection closed'));
    return Promise.resolve(
      batches.map(({ topic, partition, bytes }) => {
        const [id, first] = [
          bytes.readBigInt64BE(batchAt.producerId),
          bytes.readInt32BE(batchAt.baseSequence),
        ];
        this.sent.push(`${node}: ${partition} by ${id} from ${first}`);
        const fault = this.faults.shift();
        return { topic, partition, offset: 7, error: fault === undefined ? undefined : new Error(fault) };
      }),
    );
  }

  typeOf(error: unknown): string | undefined {
    return error instanceof Error ? error.message : undefined;
  }

  busErrorOf(error: unknown, doing: string): BusError {
    const why = this.typeOf(error) ?? '';
    return new BusError(why === 'GONE' ? 'topic-not-found' : 'unavailable', `${doing}: ${why}`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const batch = (partition: number, records = 1, topic = 't'): PartitionBatch => ({
  topic,
  partition,
  records: Array.from({ length: records }, () => ({ key: null, value: Buffer.from('x'), headers: [] })),
});
const codes = (outcomes: readonly StoreOutcome[]): readonly unknown[] =>
  outcomes.map(outcome => (typeof outcome === 'number' ? outcome : outcome.code));
const producerOn = (transport: ProduceTransport, idempotent = true): SequencedProducer =>
  new SequencedProducer(transport, { compression: 'none', idempotent });

describe('a sequenced producer', () => {
  it('sends each batch to the leader of its partition, numbered by its place in it', async () => {
    const transport = new FakeTransport();
    transport.leaders = ({ partition }) => partition % 2;
    const producer = producerOn(transport);

    expect(await producer.send([batch(0, 2), batch(1), batch(2)])).toEqual([7, 7, 7]);
    await producer.send([batch(0), batch(1)]);

    expect(transport.sent).toEqual([
      '0: 0 by 1 from 0',
      '0: 2 by 1 from 0',
      '1: 1 by 1 from 0',
      '0: 0 by 1 from 2',
      '1: 1 by 1 from 1',
    ]);
  });

  it('sends again with the number that it had what was refused or not answered', async () => {
    const transport = new FakeTransport();
    const producer = producerOn(transport);
    transport.faults.push('NOT_LEADER');

    expect(codes(await producer.send([batch(0, 3)]))).toEqual(['unavailable']);
    transport.isAway = true;
    expect(codes(await producer.send([batch(0, 3)]))).toEqual(['unavailable']);
    transport.isAway = false;
    expect(await producer.send([batch(0, 3)])).toEqual([7]);
    await producer.send([batch(0)]);

    expect(transport.sent).toEqual(['1: 0 by 1 from 0', '1: 0 by 1 from 0', '1: 0 by 1 from 3']);
    expect(transport.learned).toEqual(['t', 't anew', 't anew', 't']);
  });

  it.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'])(
    'counts anew under another name after %s',
    async fault => {
      const transport = new FakeTransport();
      const producer = producerOn(transport);
      await producer.send([batch(0), batch(1)]);
      transport.faults.push(fault);
      await producer.send([batch(0)]);
      await producer.send([batch(0), batch(1)]);

      expect(transport.sent.slice(2)).toEqual(['1: 0 by 1 from 1', '1: 0 by 2 from 0', '1: 1 by 2 from 0']);
    },
  );

  it('of a transaction is fenced where its name is lost, and keeps it', async () => {
    const transport = new FakeTransport();
    const producer = new SequencedProducer(transport, {
      compression: 'none',
      idempotent: true,
      transaction: {
        id: { producerId: 40n, producerEpoch: 3 },
        fenced: cause => new BusError('fenced', cause.message),
      },
    });
    transport.faults.push('INVALID_PRODUCER_EPOCH');

    expect(codes(await producer.send([batch(0)]))).toEqual(['fenced']);
    await producer.send([batch(0)]);

    expect(transport.sent).toEqual(['1: 0 by 40 from 0', '1: 0 by 40 from 0']);
  });

  it('has no name where nothing is counted', async () => {
    const transport = new FakeTransport();
    await producerOn(transport, false).send([batch(0)]);

    expect(transport.sent).toEqual(['1: 0 by -1 from -1']);
  });

  it('refuses what nobody leads, and the topics of which nothing is known, and sends the rest', async () => {
    const transport = new FakeTransport();
    transport.leaders = ({ partition }) => (partition === 1 ? undefined : 1);
    transport.problems = new Map([['gone', new Error('GONE')]]);
    const producer = producerOn(transport);

    expect(codes(await producer.send([batch(0), batch(1), batch(0, 1, 'gone')]))).toEqual([
      7,
      'unavailable',
      'topic-not-found',
    ]);
    await producer.send([batch(0)]);

    expect(transport.learned).toEqual(['t,gone', 't anew']);
  });

  it('goes on under the next epoch of one that it takes the place of, and under a new name where brokers count otherwise', async () => {
    const transport = new FakeTransport();
    const after = { producerId: 9n, producerEpoch: 3 };
    const producer = new SequencedProducer(transport, { compression: 'none', idempotent: true, after });
    expect(producer.name).toEqual(after);
    await producer.send([batch(0)]);
    expect(producer.name).toEqual({ ...after, producerEpoch: 4 });
    transport.faults.push('INVALID_PRODUCER_EPOCH');
    await producer.send([batch(0)]);
    await producer.send([batch(0)]);
    expect(transport.sent).toEqual(['1: 0 by 9 from 0', '1: 0 by 9 from 1', '1: 0 by 1 from 0']);
  });

  it('begins under a new name behind the last epoch of one', async () => {
    const transport = new FakeTransport();
    const after = { producerId: 9n, producerEpoch: 2 ** 15 - 1 };
    const producer = new SequencedProducer(transport, { compression: 'none', idempotent: true, after });
    await producer.send([batch(0)]);
    expect(producer.name).toEqual({ producerId: 1n, producerEpoch: 0 });
  });
});
