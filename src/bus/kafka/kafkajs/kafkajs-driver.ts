import { randomUUID } from 'node:crypto';
import type { Admin, Broker, Cluster, Kafka } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { askAgain, coordinatorMoves, topicUnheardOf } from '../ask-again.ts';
import { askLeaders, requireTopic } from '../ask-leaders.ts';
import type {
  ClusterDescription,
  DriverMember,
  DriverProducer,
  DriverReader,
  DriverTransactions,
  JoinWish,
  KafkaDriver,
  NewTopic,
  PartitionOffset,
  ProducerOptions,
  TopicMetadata,
  TransactionsOptions,
} from '../driver.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { WhichOffset } from '../which-offset.ts';
import { SequencedProducer, requiredAcks } from '../publishing/sequenced-producer.ts';
import { codecOf } from '../records/compression.ts';
import { TransactionEnds } from '../transactions/transaction-ends.ts';
import { TransactionalProducer, longestTransactionMs } from '../transactions/transactional-producer.ts';
import { type Client, clusterOf, loadClient, openKafka } from './client.ts';
import { Coordinator, requireDone, requireRight } from './coordinator.ts';
import { KafkaJsEndsTransport } from './ends-transport.ts';
import { setConfigs } from './incremental-alter.ts';
import { busErrorOf, typeOf } from './kafkajs-errors.ts';
import { KafkaJsMember } from './kafkajs-member.ts';
import { KafkaJsReader } from './kafkajs-reader.ts';
import { listOffsets } from './list-offsets.ts';
import { bytesOnDisk } from './log-dirs.ts';
import { KafkaJsProduceTransport } from './produce-transport.ts';
import { Sockets } from './sockets.ts';
import { stableOffsets } from './stable-offsets.ts';
import { KafkaJsTransactionTransport } from './transaction-transport.ts';

/** The driver on kafkajs. */
export class KafkaJsDriver implements KafkaDriver {
  readonly name = 'kafkajs';
  readonly #client: Client;
  readonly #settings: KafkaSettings;
  readonly #sockets = new Sockets();
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #cluster: Cluster;
  readonly #instance: string = randomUUID();
  #members = 0;

  private constructor(client: Client, settings: KafkaSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#kafka = openKafka(client, settings, this.#sockets);
    this.#admin = this.#kafka.admin();
    this.#cluster = clusterOf(this.#kafka);
  }

  static async open(settings: KafkaSettings): Promise<KafkaJsDriver> {
    const client = await loadClient();
    const { compression } = settings.publishing;
    if (compression !== 'none') codecOf(compression);
    return new KafkaJsDriver(client, settings);
  }

  async connect(): Promise<void> {
    const { brokers } = this.#settings;
    await this.#try(`connecting to ${brokers.join(', ')}`, async () => {
      await this.#admin.connect();
      await this.#cluster.connect();
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#admin.disconnect(), this.#cluster.disconnect()]);
    this.#sockets.close();
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#try('describing the cluster', async () => {
      const { brokers, controller } = await this.#admin.describeCluster();
      return { nodes: brokers.map(({ nodeId }) => nodeId), controller: controller ?? undefined };
    });
  }

  reach(node: number): Promise<void> {
    return this.#try(`asking broker ${node}`, async () => {
      await this.#cluster.refreshMetadataIfNecessary();
      // One that has come since is not known here.
      if (!this.#cluster.getNodeIds().map(Number).includes(node)) await this.#cluster.refreshMetadata();
      const broker = await this.#cluster.findBroker({ nodeId: String(node) });
      await broker.apiVersions();
    });
  }

  async describeTopics(names?: readonly string[]): Promise<readonly TopicMetadata[]> {
    if (names === undefined) return this.#metadata([]);
    const found = await Promise.all(names.map(name => this.#metadata([name])));
    return found.flat();
  }

  topicConfigs(name: string): Promise<ReadonlyMap<string, string>> {
    return this.#try(`asking for the settings of ${name}`, async () => {
      const type = this.#client.ConfigResourceTypes.TOPIC;
      const wanted = { includeSynonyms: false, resources: [{ type, name }] };
      const { resources } = await askAgain(() => this.#admin.describeConfigs(wanted), typeOf, topicUnheardOf);
      const entries = resources[0]?.configEntries ?? [];
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    });
  }

  partitionBytes(topic: string): Promise<ReadonlyMap<number, number>> {
    return this.#try(`asking for the size of ${topic}`, () =>
      this.#askLeaders(topic, (broker, partitions) => bytesOnDisk(broker, topic, partitions)),
    );
  }

  async createTopic({ name, partitions, replication, configs }: NewTopic): Promise<void> {
    const isNew = await this.#try(`creating topic ${name}`, () =>
      this.#admin.createTopics({
        waitForLeaders: false, // kafkajs gives up where the broker it asks has not heard of the topic yet
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor: replication,
            configEntries: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
          },
        ],
      }),
    );
    if (!isNew) {
      throw new BusError('topic-exists', `topic ${name} exists already: use it, or delete it first`);
    }
  }

  deleteTopic(name: string): Promise<void> {
    return this.#try(`deleting topic ${name}`, () => this.#admin.deleteTopics({ topics: [name] }));
  }

  async createPartitions(topic: string, partitions: number): Promise<void> {
    await this.#try(`adding partitions to ${topic}`, () =>
      this.#admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }),
    );
  }

  setConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    return this.#try(`changing the settings of ${topic}`, async () => {
      await this.#cluster.refreshMetadata();
      await setConfigs(await this.#cluster.findControllerBroker(), topic, configs);
    });
  }

  listOffsets(topic: string, which: WhichOffset): Promise<ReadonlyMap<number, number>> {
    return this.#try(`asking for the offsets of ${topic}`, () =>
      this.#askLeaders(topic, (broker, partitions) => listOffsets(broker, topic, partitions, which)),
    );
  }

  groups(): Promise<readonly string[]> {
    return this.#try('listing groups', async () => {
      const { groups } = await askCoordinators(() => this.#admin.listGroups());
      return groups.map(({ groupId }) => groupId);
    });
  }

  committed(group: string, topics?: readonly string[]): Promise<readonly PartitionOffset[]> {
    return this.#tryAsGroup(group, `asking what ${group} has committed`, async () => {
      const wanted = { groupId: group, topics: [...(topics ?? [])] };
      const offsets = await askCoordinators(() => this.#admin.fetchOffsets(wanted));
      return offsets.flatMap(({ topic, partitions }) =>
        partitions
          .map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }))
          .filter(({ offset }) => offset >= 0),
      );
    });
  }

  /** Waits for as long as a transaction may take to be decided or given up. */
  stableOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return this.#tryAsGroup(group, `asking what ${group} has committed`, async () => {
      await this.#cluster.refreshMetadataIfNecessary();
      const coordinator = new Coordinator(this.#cluster, 'group', group, { atMostMs: longestTransactionMs });
      const answers = await coordinator.ask(stableOffsets(group, partitions));
      requireDone(answers);
      return answers.filter(({ offset }) => offset >= 0);
    });
  }

  async deleteGroup(group: string): Promise<void> {
    try {
      await askCoordinators(() => this.#admin.deleteGroups([group]));
    } catch (error) {
      if (typeOfGroup(error) === 'GROUP_ID_NOT_FOUND') return;
      throw busErrorOf(groupError(error), `deleting group ${group}`);
    }
  }

  async openProducer({ acks, ...options }: ProducerOptions): Promise<DriverProducer> {
    const settings = { acks: requiredAcks(acks), timeout: this.#settings.requestTimeoutMs };
    const transport = new KafkaJsProduceTransport(clusterOf(this.#kafka), settings);
    return new SequencedProducer(await transport.open(), options);
  }

  openTransactions(id: string, options: TransactionsOptions): Promise<DriverTransactions> {
    const { requestTimeoutMs } = this.#settings;
    const transport = new KafkaJsTransactionTransport(clusterOf(this.#kafka), id, requestTimeoutMs);
    return TransactionalProducer.open(transport, id, options);
  }

  endDecided(place: TopicPartition): Promise<readonly boolean[]> {
    const { requestTimeoutMs: timeout } = this.#settings;
    const producing = new KafkaJsProduceTransport(this.#cluster, { acks: requiredAcks('all'), timeout });
    const ends = new TransactionEnds(new KafkaJsEndsTransport(this.#cluster, producing), timeout);
    return ends.endDecided(place);
  }

  openReader(): Promise<DriverReader> {
    return KafkaJsReader.open(this.#kafka);
  }

  join(wish: JoinWish): Promise<DriverMember> {
    const { group, exclusive } = wish;
    const identity = { instance: this.#instance, rank: this.#members++, exclusive };
    const host = { client: this.#client, kafka: this.#kafka, cluster: this.#cluster };
    return this.#tryAsGroup(group, `joining group ${group}`, async () => {
      await requireRight(this.#cluster, 'group', group);
      return KafkaJsMember.join(host, identity, wish);
    });
  }

  #tryAsGroup<A>(group: string, doing: string, request: () => Promise<A>): Promise<A> {
    return this.#try(doing, request, `Read on group ${group}`);
  }

  #askLeaders(
    topic: string,
    question: (broker: Broker, partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  ): Promise<ReadonlyMap<number, number>> {
    const describe = async (): Promise<TopicMetadata> => {
      const metadata = requireTopic(topic, await this.#metadata([topic]));
      await this.#cluster.refreshMetadata();
      return metadata;
    };
    return askLeaders({ describe, typeOf }, async (node, partitions) =>
      question(await this.#cluster.findBroker({ nodeId: String(node) }), partitions),
    );
  }

  async #metadata(names: string[]): Promise<readonly TopicMetadata[]> {
    try {
      const { topics } = await this.#admin.fetchTopicMetadata(
        names.length === 0 ? undefined : { topics: names },
      );
      return topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionId, leader, replicas, isr }) => ({
          partition: partitionId,
          leader: leader < 0 ? undefined : leader,
          replicas,
          inSync: isr,
        })),
      }));
    } catch (error) {
      if (names.length > 0 && typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
      throw busErrorOf(error, names.length === 0 ? 'listing topics' : `asking for topic ${names.join()}`);
    }
  }

  async #try<A>(doing: string, request: () => Promise<A>, right?: string): Promise<A> {
    try {
      return await request();
    } catch (error) {
      throw busErrorOf(error, doing, right);
    }
  }
}

/** Asks whoever keeps groups, also where they have only just begun to. */
function askCoordinators<A>(ask: () => Promise<A>): Promise<A> {
  return askAgain(ask, typeOfGroup, coordinatorMoves);
}

function typeOfGroup(error: unknown): string | undefined {
  return typeOf(groupError(error));
}

/** kafkajs tells what became of each group in a list of its own. */
function groupError(error: unknown): unknown {
  const { groups } = error as { readonly groups?: readonly { readonly error?: unknown }[] };
  return groups?.[0]?.error ?? error;
}
