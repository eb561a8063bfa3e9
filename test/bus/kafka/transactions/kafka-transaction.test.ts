import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type {
  DriverTransactions,
  MemberOffsets,
  PartitionBatch,
  PartitionOffset,
  StoreOutcome,
} from '../../../../src/bus/kafka/driver.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { KafkaTransaction } from '../../../../src/bus/kafka/transactions/kafka-transaction.ts';
import type { Participant } from '../../../../src/bus/kafka/transactions/transaction-content.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import { passTime } from '../../../passing-time.ts';

const offsetsOf = (offset: number): readonly PartitionOffset[] => [{ topic: 'in', partition: 0, offset }];

/** A source that has come so far. */
class Reader implements Participant {
  readonly member = { group: 'g', memberId: 'm', generation: 3 };
  upTo = 0;
  done = 0;
  /** Delivered and not settled. */
  inFlight = 0;
  hasPartition = true;

  get isDirty(): boolean {
    return this.inFlight > 0 || this.upTo > this.done;
  }

  settled(): readonly PartitionOffset[] {
    return this.hasPartition ? offsetsOf(this.upTo) : [];
  }

  due(): readonly PartitionOffset[] {
    return this.upTo > this.done ? offsetsOf(this.upTo) : [];
  }

  committed(offsets: readonly PartitionOffset[]): void {
    this.done = offsets[0]?.offset ?? this.done;
  }
}

/** A session on brokers that answer when, and as, the test says. */
class Brokers {
  readonly time = new VirtualTimeScheduler(VirtualAction, 0);
  readonly log: string[] = [];
  readonly broken: string[] = [];
  readonly answers: ((outcome: StoreOutcome) => void)[] = [];
  /** Settles what is being committed. */
  deciding: PromiseWithResolvers<void> | undefined;
  readonly reader = new Reader();
  readonly session: KafkaTransaction;

  constructor() {
    const limits = { maxMessageBytes: 1e6, maxBatchBytes: 1e6 };
    const topic = { name: 'out', partitions: 1, leaders: [1], limits };
    this.session = new KafkaTransaction(
      {
        driver: { openTransactions: () => Promise.resolve(this.#opened()) },
        directory: { find: () => topic, open: () => Promise.resolve(topic), get: () => topic },
        condition: new BusCondition(),
        scheduler: this.time,
        publishing: settled({ brokers: ['b:1'] }).publishing,
        closed: () => this.log.push('closed'),
      },
      'pipeline-1',
      { timeoutMs: 10_000 },
    );
    this.session.broken$.subscribe(({ code }) => this.broken.push(code));
    this.session.hurry$.subscribe(() => this.log.push('hurry'));
    this.session.enter(this.reader);
  }

  /** Sends; what became of it is in the log. */
  send(value: string): void {
    this.session.send({ topic: 'out', key: 'k', payload: Buffer.from(value) }, error =>
      this.log.push(error ? `${value} ${error.code}` : `${value} stored`),
    );
  }

  /** Lets so many ms go by, and every promise settle. */
  async pass(ms = 1): Promise<void> {
    await passTime(this.time, ms, 100);
  }

  /** Answers the last send. */
  async storeNext(): Promise<void> {
    this.answers.at(-1)?.(0);
    await this.pass();
  }

  #opened(): DriverTransactions {
    this.log.push('open');
    return {
      send: async (batches: readonly PartitionBatch[]) => {
        this.log.push(`send ${batches.flatMap(({ records }) => records).length}`);
        const outcome = await new Promise<StoreOutcome>(resolve => this.answers.push(resolve));
        return batches.map(() => outcome);
      },
      commit: async (members: readonly MemberOffsets[]) => {
        const told = members.map(each => `${each.member.generation}@${each.offsets[0]?.offset}`);
        this.log.push(`commit ${told.join()}`);
        await this.deciding?.promise;
      },
      close: () => Promise.resolve(void this.log.push('close')),
      left: [],
    };
  }
}

describe('a session of transactions on Kafka', () => {
  it('commits once every send is answered, with what the sources have come to', async () => {
    const brokers = new Brokers();
    brokers.send('a');
    await brokers.pass();
    brokers.reader.upTo = 5;
    const committing = brokers.session.commit();
    await brokers.pass();
    expect(brokers.log).toEqual(['open', 'send 1']);
    brokers.answers[0]?.(7);
    await brokers.pass();
    await committing;
    expect(brokers.log).toEqual(['open', 'send 1', 'a stored', 'commit 3@5']);
    expect(brokers.reader.done).toBe(5);
  });

  it('commits what it told for the state to be stored with, whatever is filtered out while that is sent', async () => {
    const brokers = new Brokers();
    brokers.send('state');
    await brokers.pass();
    brokers.reader.upTo = 5;
    expect(brokers.session.settled()).toEqual([{ topic: 'in', partition: 0, offset: 5 }]);
    const committing = brokers.session.commit();
    brokers.reader.upTo = 9;
    brokers.answers[0]?.(7);
    await committing;
    expect(brokers.log.at(-1)).toBe('commit 3@5');
    expect(brokers.reader.done).toBe(5);
  });

  it('keeps what is sent while it is committed for the next transaction', async () => {
    const brokers = new Brokers();
    brokers.deciding = Promise.withResolvers();
    brokers.reader.upTo = 1;
    const committing = brokers.session.commit();
    brokers.send('next');
    await brokers.pass();
    expect(brokers.log).toEqual(['open', 'commit 3@1']);
    brokers.deciding.resolve();
    await committing;
    await brokers.pass();
    expect(brokers.log).toEqual(['open', 'commit 3@1', 'send 1']);
  });

  // Kills: outputs of what a join lets go just then, committed without the offsets that they stand for.
  it('keeps what is sent while the rest is still being stored for the next transaction', async () => {
    const brokers = new Brokers();
    brokers.send('a');
    await brokers.pass();
    brokers.reader.upTo = 1;
    const committing = brokers.session.commit();
    brokers.reader.upTo = 2;
    brokers.send('b');
    await brokers.pass();
    expect(brokers.log).toEqual(['open', 'send 1']);
    brokers.answers[0]?.(0);
    await committing;
    await brokers.pass();
    expect(brokers.log).toEqual(['open', 'send 1', 'a stored', 'commit 3@1', 'send 1']);
    brokers.answers[1]?.(1);
    await brokers.pass();
    await brokers.session.commit();
    expect(brokers.log.slice(-2)).toEqual(['b stored', 'commit 3@2']);
  });

  it('proves its membership for what was sent without progress, and refuses where it has none', async () => {
    const brokers = new Brokers();
    brokers.reader.upTo = brokers.reader.done = 4;
    brokers.send('a');
    await brokers.pass();
    brokers.answers[0]?.(0);
    await brokers.pass();
    const committing = brokers.session.commit();
    brokers.reader.upTo = 6;
    await committing;
    expect(brokers.log.at(-1)).toBe('commit 3@4');
    brokers.reader.upTo = 4;
    brokers.reader.hasPartition = false;
    brokers.send('b');
    await brokers.pass();
    brokers.answers[1]?.(1);
    await brokers.pass();
    await expect(brokers.session.commit()).rejects.toMatchObject({ code: 'fenced' });
  });

  it.each([
    ['unavailable', 'publish-timeout'],
    ['fenced', 'fenced'],
  ] as const)(
    'is broken by what is not stored, being %s, and begins anew after an abort',
    async (code, told) => {
      const brokers = new Brokers();
      brokers.send('a');
      await brokers.pass();
      for (let step = 0; step < 30; step++) {
        brokers.answers.at(-1)?.(new BusError(code, 'not now'));
        await brokers.pass(1_000);
      }
      expect(brokers.broken).toEqual([told]);
      expect(brokers.log.at(-1)).toBe(`a ${told}`);
      await expect(brokers.session.commit()).rejects.toMatchObject({ code: told });
      const aborting = brokers.session.abort();
      await brokers.pass();
      await aborting;
      brokers.send('b');
      await brokers.pass();
      expect(brokers.log.slice(-3)).toEqual(['close', 'open', 'send 1']);
    },
  );

  it('goes on after a message that is refused for its own sake', async () => {
    const brokers = new Brokers();
    brokers.send('a');
    await brokers.pass();
    brokers.answers[0]?.(new BusError('invalid-message', 'no'));
    await brokers.pass();
    brokers.reader.upTo = 1;
    await brokers.session.commit();
    expect(brokers.broken).toEqual([]);
    expect(brokers.log).toEqual(['open', 'send 1', 'a invalid-message', 'commit 3@1']);
  });

  it('commits nothing as done of what it lost while it was committed', async () => {
    const brokers = new Brokers();
    brokers.deciding = Promise.withResolvers();
    brokers.reader.upTo = 2;
    const committing = brokers.session.commit();
    await brokers.pass();
    brokers.session.break(new BusError('fenced', 'in[0] went to another member'));
    brokers.deciding.resolve();
    await expect(committing).rejects.toThrow('in[0] went to another member');
    expect([brokers.reader.done, brokers.broken]).toEqual([0, ['fenced']]);
  });

  // Kills: a late refusal of what was given up, which breaks what came after it, and nobody is told.
  it('is not disturbed by what becomes of a commit that was given up', async () => {
    const brokers = new Brokers();
    const deciding = (brokers.deciding = Promise.withResolvers());
    brokers.reader.upTo = 1;
    const committing = brokers.session.commit();
    const refused = expect(committing).rejects.toThrow('in[0] went to another member');
    await brokers.pass();
    brokers.session.break(new BusError('fenced', 'in[0] went to another member'));
    await brokers.session.abort();
    brokers.deciding = undefined;
    brokers.send('a');
    await brokers.pass();
    deciding.reject(new BusError('fenced', 'an old epoch'));
    await refused;
    await brokers.storeNext();
    await brokers.session.commit();
    expect(brokers.log).toEqual([
      ...['open', 'commit 3@1', 'close'],
      ...['open', 'send 1', 'a stored', 'commit 3@1'],
    ]);
    expect([brokers.reader.done, brokers.broken]).toEqual([1, ['fenced']]);
  });

  // Kills: offsets that a new producer commits without the outputs that the one before was to store.
  it('commits nothing of what was still being stored when it was given up', async () => {
    const brokers = new Brokers();
    brokers.send('a');
    await brokers.pass();
    brokers.reader.upTo = 1;
    const committing = brokers.session.commit();
    const refused = expect(committing).rejects.toThrow('it was aborted');
    const aborting = brokers.session.abort();
    await brokers.pass(2_000);
    await aborting;
    await brokers.storeNext();
    await refused;
    expect(brokers.log).toEqual(['open', 'send 1', 'close', 'a stored']);
    expect(brokers.reader.done).toBe(0);
  });

  // Kills: what is sent after the abort waits for the end of that commit, and is dropped by the next one.
  it('refuses a commit that is asked for when it is broken, and takes what is sent after the abort', async () => {
    const brokers = new Brokers();
    brokers.session.break(new BusError('unavailable', 'not stored in time'));
    const aborting = brokers.session.abort();
    await expect(brokers.session.commit()).rejects.toThrow('not stored in time');
    await aborting;
    brokers.send('a');
    await brokers.pass();
    brokers.reader.upTo = 1;
    await brokers.storeNext();
    await brokers.session.commit();
    expect(brokers.log).toEqual(['open', 'send 1', 'a stored', 'commit 3@1']);
  });

  it('is broken when a source is closed with work that is not committed', () => {
    const brokers = new Brokers();
    brokers.reader.inFlight = 1;
    brokers.session.leave(brokers.reader);
    expect(brokers.broken).toEqual(['unavailable']);
  });

  it('holds a rebalance up until it has committed, and no longer than half its time-out', async () => {
    const brokers = new Brokers();
    const told: string[] = [];
    void brokers.session.settledForRebalance().then(() => told.push('clean'));
    await brokers.pass();
    expect([told, brokers.log]).toEqual([['clean'], []]);
    brokers.reader.upTo = 1;
    void brokers.session.settledForRebalance().then(() => told.push('committed'));
    await brokers.pass();
    expect([told, brokers.log]).toEqual([['clean'], ['hurry']]);
    await brokers.session.commit();
    await brokers.pass();
    expect(told).toEqual(['clean', 'committed']);
    brokers.reader.inFlight = 1;
    void brokers.session.settledForRebalance().then(() => told.push('too late'));
    await brokers.pass(4_900);
    expect(told).toHaveLength(2);
    await brokers.pass(200);
    expect(told).toEqual(['clean', 'committed', 'too late']);
  });

  it('holds a rebalance up while it commits what it has sent, though its sources have come no further', async () => {
    const brokers = new Brokers();
    const deciding = (brokers.deciding = Promise.withResolvers());
    brokers.send('a');
    await brokers.pass();
    await brokers.storeNext();
    const committing = brokers.session.commit();
    const told: string[] = [];
    void brokers.session.settledForRebalance().then(() => told.push('committed'));
    await brokers.pass();
    expect(told).toEqual([]);
    deciding.resolve();
    await committing;
    await brokers.pass();
    expect(told).toEqual(['committed']);
  });

  it('is closed when it is, whoever asks for it', async () => {
    const brokers = new Brokers();
    const closing = [brokers.session.close(), brokers.session.close()];
    await closing[1];
    expect(brokers.log).toEqual(['closed']);
    await closing[0];
  });

  it('aborts what is open when it is closed, and refuses what comes then', async () => {
    const brokers = new Brokers();
    brokers.send('a');
    await brokers.pass();
    brokers.answers[0]?.(0);
    await brokers.pass();
    const closing = brokers.session.close();
    await brokers.pass();
    await closing;
    brokers.send('b');
    expect(brokers.log).toEqual(['open', 'send 1', 'a stored', 'close', 'closed', 'b unavailable']);
  });
});
