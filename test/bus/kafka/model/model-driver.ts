import type {
  DriverMember,
  DriverProducer,
  DriverReader,
  DriverTransactions,
  FetchWish,
  FetchedPartition,
  JoinWish,
  KafkaDriver,
  MemberOffsets,
  NewTopic,
  PartitionBatch,
  PartitionOffset,
  StoreOutcome,
  TopicMetadata,
  TransactionsOptions,
} from '../../../../src/bus/kafka/driver.ts';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import { isSamePartition } from '../../../../src/bus/same-partition.ts';
import type { WhichOffset } from '../../../../src/bus/kafka/which-offset.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import type { ModelCluster } from './model-cluster.ts';
import type { ModelMember } from './model-group.ts';
import type { ModelLine } from './model-line.ts';

const node = 1;
const emptyWaitMs = 20;

/** The client of one process. What topics there are it is told at once. */
export class ModelDriver implements KafkaDriver {
  readonly name = 'model';
  readonly #cluster: ModelCluster;
  readonly #line: ModelLine;
  readonly #instance: string;
  readonly #refuses: () => boolean;
  #members = 0;

  /** @param refuses whether what is to be stored is refused for now */
  constructor(cluster: ModelCluster, line: ModelLine, instance: string, refuses: () => boolean) {
    this.#cluster = cluster;
    this.#line = line;
    this.#instance = instance;
    this.#refuses = refuses;
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  describeCluster(): Promise<{ readonly nodes: readonly number[]; readonly controller: number }> {
    return Promise.resolve({ nodes: [node], controller: node });
  }

  reach(): Promise<void> {
    return Promise.resolve();
  }

  describeTopics(names?: readonly string[]): Promise<readonly TopicMetadata[]> {
    const all = [...this.#cluster.topics].filter(([name]) => names?.includes(name) !== false);
    return Promise.resolve(
      all.map(([name, logs]) => ({
        name,
        partitions: logs.map((_, partition) => ({
          partition,
          leader: node,
          replicas: [node],
          inSync: [node],
        })),
      })),
    );
  }

  topicConfigs(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map([['max.message.bytes', '1048588']]));
  }

  partitionBytes(): Promise<ReadonlyMap<number, number>> {
    return Promise.resolve(new Map());
  }

  createTopic({ name, partitions }: NewTopic): Promise<void> {
    return Promise.resolve().then(() => this.#cluster.createTopic(name, partitions));
  }

  deleteTopic(): Promise<void> {
    return notModelled();
  }

  createPartitions(): Promise<void> {
    return notModelled();
  }

  setConfigs(): Promise<void> {
    return notModelled();
  }

  deleteGroup(): Promise<void> {
    return notModelled();
  }

  groups(): Promise<readonly string[]> {
    return notModelled();
  }

  listOffsets(topic: string, which: WhichOffset): Promise<ReadonlyMap<number, number>> {
    const logs = this.#cluster.topics.get(topic) ?? [];
    return this.#line.ask(
      () => new Map(logs.map((log, partition) => [partition, which === 'next' ? log.decided : 0])),
    );
  }

  committed(group: string): Promise<readonly PartitionOffset[]> {
    return this.#line.ask(() => this.#cluster.committed(group));
  }

  stableOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return this.#line.ask(() =>
      this.#cluster
        .committed(group)
        .filter(each => partitions.some(partition => isSamePartition(each, partition))),
    );
  }

  endDecided(): Promise<readonly boolean[]> {
    return Promise.resolve([]);
  }

  openProducer(): Promise<DriverProducer> {
    return Promise.resolve({
      send: batches => this.#store(batches, ({ records, ...place }) => this.#cluster.store(place, records)),
      close: () => Promise.resolve(),
    });
  }

  async openTransactions(id: string, { timeoutMs }: TransactionsOptions): Promise<DriverTransactions> {
    const epoch = await this.#line.ask(() => this.#cluster.beginProducer(id));
    let underWay = 0;
    const doing = async <A>(work: Promise<A>): Promise<A> => {
      underWay++;
      return work.finally(() => underWay--);
    };
    return {
      send: batches =>
        doing(this.#store(batches, batch => this.#cluster.storeIn(id, epoch, timeoutMs, batch))),
      commit: (members: readonly MemberOffsets[]) =>
        doing(this.#line.ask(() => this.#cluster.commit(id, epoch, members))),
      // Waits for nothing that hangs: the next of this id, or its time-out, aborts what is open.
      close: async () => {
        if (underWay > 0 || !this.#line.isUp) return;
        await this.#line.ask(() => this.#cluster.abort(id, epoch)).catch(() => undefined);
      },
      left: [],
    };
  }

  openReader(): Promise<DriverReader> {
    return Promise.resolve({
      refresh: () => Promise.resolve(),
      leaderOf: () => node,
      fetch: (_node, wishes, maxWaitMs) => this.#fetch(wishes, maxWaitMs),
      close: () => Promise.resolve(),
    });
  }

  async join({ group: name, topics, exclusive, options, events }: JoinWish): Promise<DriverMember> {
    const group = this.#cluster.group(name);
    const member: ModelMember = {
      ...{ line: this.#line, events, instance: this.#instance, rank: this.#members++, topics, exclusive },
      ...{ ...options, memberId: '', identity: undefined, held: [], seenAt: 0, hasLeft: false },
    };
    try {
      await this.#line.ask(() => group.join(member));
    } catch (error) {
      member.hasLeft = true;
      throw error;
    }
    return {
      get identity() {
        return member.identity;
      },
      commit: () => notModelled(),
      leave: () => {
        member.hasLeft = true;
        return this.#line.ask(() => group.leave(member)).catch(() => undefined);
      },
    };
  }

  #store(
    batches: readonly PartitionBatch[],
    store: (batch: PartitionBatch) => number,
  ): Promise<readonly StoreOutcome[]> {
    return this.#line.ask(() =>
      batches.map(batch => {
        if (this.#refuses()) return new BusError('unavailable', 'not now');
        try {
          return store(batch);
        } catch (error) {
          if (error instanceof BusError) return error;
          throw error;
        }
      }),
    );
  }

  async #fetch(wishes: readonly FetchWish[], maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    for (let waited = 0; ; waited += emptyWaitMs) {
      const answers = await this.#line.ask(() =>
        wishes.map(({ topic, partition, offset }) => {
          const place = { topic, partition };
          return this.#cluster.log(place).read(place, offset);
        }),
      );
      const isEmpty = answers.every(({ nextOffset }, i) => nextOffset === wishes[i]?.offset);
      if (!isEmpty || waited >= maxWaitMs) return answers;
      await new Promise<void>(resolve => this.#cluster.time.schedule(() => resolve(), emptyWaitMs));
    }
  }
}

function notModelled(): Promise<never> {
  return Promise.reject(new Error('no test has needed this yet'));
}
