import { randomUUID } from 'node:crypto';
import type { API, offsetFetchV7 } from '@platformatic/kafka';
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
import { Brokers } from './brokers.ts';
import { type Client, loadClient } from './client.ts';
import { Coordinator, askCoordinator } from './coordinator.ts';
import { PlatformaticEndsTransport } from './ends-transport.ts';
import { bytesOnDisk, listOffsets } from './leader-questions.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';
import { PlatformaticMember } from './platformatic-member.ts';
import { PlatformaticReader } from './platformatic-reader.ts';
import { PlatformaticProduceTransport } from './produce-transport.ts';
import { requireVersions } from './required-versions.ts';
import { topicOf } from './topic-metadata.ts';
import { PlatformaticTransactionTransport } from './transaction-transport.ts';

const topicResource = 2;
/** How often a request to the controller is made where that has moved. */
const controllerTries = 5;

/** The driver on @platformatic/kafka. */
export class PlatformaticDriver implements KafkaDriver {
  readonly name = 'platformatic';
  readonly #client: Client;
  readonly #settings: KafkaSettings;
  readonly #open = new Set<Brokers>();
  readonly #brokers: Brokers;
  readonly #instance: string = randomUUID();
  #members = 0;

  private constructor(client: Client, settings: KafkaSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#brokers = this.#connections();
  }

  static async open(settings: KafkaSettings): Promise<PlatformaticDriver> {
    const { compression } = settings.publishing;
    if (compression !== 'none') codecOf(compression);
    return new PlatformaticDriver(await loadClient(), settings);
  }

  async connect(): Promise<void> {
    const { brokers } = this.#settings;
    await this.#try(`connecting to ${brokers.join(', ')}`, () => requireVersions(this.#brokers));
  }

  /** Ends what is still being asked, by whoever opened it: a process that is done must not wait for the answer. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map(brokers => brokers.close()));
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#try('describing the cluster', async () => {
      const { brokers, controllerId } = await this.#brokers.metadata([]);
      const controller = controllerId < 0 ? undefined : controllerId;
      return { nodes: brokers.map(({ nodeId }) => nodeId), controller };
    });
  }

  reach(node: number): Promise<void> {
    const { api } = this.#client.metadataV9;
    return this.#try(`asking broker ${node}`, async () => {
      await this.#brokers.ask(node, api, [], false, false, false);
    });
  }

  describeTopics(names?: readonly string[]): Promise<readonly TopicMetadata[]> {
    const doing = names === undefined ? 'listing topics' : `asking for topic ${names.join(', ')}`;
    return this.#try(doing, async () => {
      const { topics } = await this.#brokers.metadata(names ?? null);
      return topics.flatMap(topic => {
        const error = topic.errorCode === 0 ? undefined : new this.#client.ProtocolError(topic.errorCode);
        if (error === undefined) return [topicOf(topic)];
        if (names === undefined || typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
        throw busErrorOf(error, doing, `Describe on topic ${topic.name}`);
      });
    });
  }

  topicConfigs(name: string): Promise<ReadonlyMap<string, string>> {
    return this.#try(`asking for the settings of ${name}`, async () => {
      const { describeConfigsV4 } = this.#client;
      const wanted = [{ resourceType: topicResource, resourceName: name, configurationKeys: null }] as const;
      const ask = (): ReturnType<typeof describeConfigsV4.api.async> =>
        this.#brokers.askAny(describeConfigsV4.api, [...wanted], false, false);
      const { results } = await askAgain(ask, typeOf, topicUnheardOf);
      return new Map((results[0]?.configs ?? []).map(({ name: config, value }) => [config, value ?? '']));
    });
  }

  partitionBytes(topic: string): Promise<ReadonlyMap<number, number>> {
    return this.#try(`asking for the size of ${topic}`, () =>
      askLeaders(this.#describing(topic), (node, partitions) =>
        bytesOnDisk(this.#brokers, node, topic, partitions),
      ),
    );
  }

  async createTopic({ name, partitions, replication, configs }: NewTopic): Promise<void> {
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: replication,
      assignments: [],
      configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    };
    const refusal = await this.#askController(
      this.#client.createTopicsV6.api,
      [topic],
      this.#settings.requestTimeoutMs,
      false,
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    const isThere = typeOf(refusal) === 'TOPIC_ALREADY_EXISTS';
    if (refusal !== undefined && !isThere) throw busErrorOf(refusal, `creating topic ${name}`);
    if (isThere) {
      throw new BusError('topic-exists', `topic ${name} exists already: use it, or delete it first`);
    }
  }

  deleteTopic(name: string): Promise<void> {
    const { deleteTopicsV5 } = this.#client;
    return this.#try(`deleting topic ${name}`, async () => {
      await this.#askController(deleteTopicsV5.api, [{ name }], this.#settings.requestTimeoutMs);
    });
  }

  async createPartitions(topic: string, partitions: number): Promise<void> {
    await this.#try(`adding partitions to ${topic}`, () =>
      this.#askController(
        this.#client.createPartitionsV3.api,
        // No list at all: an empty one would be one that is too short.
        [{ name: topic, count: partitions, assignments: null }],
        this.#settings.requestTimeoutMs,
        false,
      ),
    );
  }

  setConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const { SET } = this.#client.IncrementalAlterConfigOperationTypes;
    const changes = Object.entries(configs).map(([name, value]) => ({ name, configOperation: SET, value }));
    return this.#try(`changing the settings of ${topic}`, async () => {
      await this.#askController(
        this.#client.incrementalAlterConfigsV1.api,
        [{ resourceType: topicResource, resourceName: topic, configs: changes }],
        false,
      );
    });
  }

  listOffsets(topic: string, which: WhichOffset): Promise<ReadonlyMap<number, number>> {
    return this.#try(`asking for the offsets of ${topic}`, () =>
      askLeaders(this.#describing(topic), (node, partitions) =>
        listOffsets(this.#brokers, node, topic, partitions, which),
      ),
    );
  }

  /** Each broker knows those that it keeps. */
  groups(): Promise<readonly string[]> {
    const ask = async (): Promise<readonly string[]> => {
      const { brokers } = await this.#brokers.metadata([]);
      const answers = await Promise.all(
        brokers.map(({ nodeId }) => this.#brokers.ask(nodeId, this.#client.listGroupsV3.api, [], [])),
      );
      return answers.flatMap(({ groups }) => groups.map(({ groupId }) => groupId));
    };
    return this.#try('listing groups', () => askAgain(ask, typeOf, coordinatorMoves));
  }

  async committed(group: string, topics?: readonly string[]): Promise<readonly PartitionOffset[]> {
    const everything = [{ groupId: group, topics: null }];
    const { api } = this.#client.offsetFetchV7;
    const offsets = await this.#offsetsOf(group, () =>
      askCoordinator(this.#brokers, group, api, everything, false),
    );
    return offsets.filter(({ topic }) => topics?.includes(topic) !== false);
  }

  /** Waits for as long as a transaction may take to be decided or given up. */
  stableOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitionIndexes: ofTopic.map(({ partition }) => partition),
    }));
    const coordinator = new Coordinator(this.#brokers, 'group', group, { atMostMs: longestTransactionMs });
    const { api } = this.#client.offsetFetchV7;
    return this.#offsetsOf(group, () => coordinator.ask(api, [{ groupId: group, topics }], true));
  }

  #offsetsOf(
    group: string,
    ask: () => Promise<offsetFetchV7.OffsetFetchResponse>,
  ): Promise<readonly PartitionOffset[]> {
    const offsets = async (): Promise<readonly PartitionOffset[]> =>
      (await ask()).topics.flatMap(({ name: topic, partitions }) =>
        partitions
          .map(({ partitionIndex: partition, committedOffset }) => ({
            topic,
            partition,
            offset: Number(committedOffset),
          }))
          .filter(({ offset }) => offset >= 0),
      );
    return this.#try(`asking what ${group} has committed`, offsets, `Read on group ${group}`);
  }

  async deleteGroup(group: string): Promise<void> {
    try {
      await askCoordinator(this.#brokers, group, this.#client.deleteGroupsV2.api, [group]);
    } catch (error) {
      if (typeOf(error) === 'GROUP_ID_NOT_FOUND') return;
      throw busErrorOf(error, `deleting group ${group}`, `Delete on group ${group}`);
    }
  }

  async openProducer({ acks, ...options }: ProducerOptions): Promise<DriverProducer> {
    const brokers = this.#connections();
    const { requestTimeoutMs: timeoutMs } = this.#settings;
    const transport = new PlatformaticProduceTransport(brokers, { acks: requiredAcks(acks), timeoutMs });
    return new SequencedProducer(await transport.open(), options);
  }

  openTransactions(id: string, options: TransactionsOptions): Promise<DriverTransactions> {
    const brokers = this.#connections();
    const transport = new PlatformaticTransactionTransport(brokers, id, this.#settings.requestTimeoutMs);
    return TransactionalProducer.open(transport, id, options);
  }

  endDecided(place: TopicPartition): Promise<readonly boolean[]> {
    const { requestTimeoutMs: timeoutMs } = this.#settings;
    const producing = new PlatformaticProduceTransport(this.#brokers, {
      acks: requiredAcks('all'),
      timeoutMs,
    });
    const ends = new TransactionEnds(new PlatformaticEndsTransport(this.#brokers, producing), timeoutMs);
    return ends.endDecided(place);
  }

  openReader(): Promise<DriverReader> {
    const { requestTimeoutMs, consuming } = this.#settings;
    // A broker that waits for something to come is not one that does not answer.
    const brokers = this.#connections(requestTimeoutMs + consuming.maxWaitMs);
    return PlatformaticReader.open(brokers);
  }

  join(wish: JoinWish): Promise<DriverMember> {
    const { exclusive, options } = wish;
    const identity = { instance: this.#instance, rank: this.#members++, exclusive };
    const { requestTimeoutMs } = this.#settings;
    const host = {
      talking: this.#connections(),
      joining: this.#connections(requestTimeoutMs + options.rebalanceTimeoutMs),
    };
    return PlatformaticMember.join(host, identity, wish);
  }

  #connections(requestTimeoutMs?: number): Brokers {
    const forget = (): void => void this.#open.delete(brokers);
    const brokers = new Brokers(this.#client, this.#settings, requestTimeoutMs, forget);
    this.#open.add(brokers);
    return brokers;
  }

  async #try<A>(doing: string, request: () => Promise<A>, right?: string): Promise<A> {
    try {
      return await request();
    } catch (error) {
      throw busErrorOf(error, doing, right);
    }
  }

  #describing(topic: string): Parameters<typeof askLeaders>[0] {
    const describe = async (): Promise<TopicMetadata> =>
      requireTopic(topic, await this.describeTopics([topic]));
    return { describe, typeOf };
  }

  /** Asks whoever rules the cluster: where brokers rule it themselves, any broker passes the request on. */
  async #askController<Args extends unknown[], A>(api: API<Args, A>, ...args: Args): Promise<A> {
    for (let tries = 1; ; tries++) {
      try {
        const { controllerId } = await this.#brokers.metadata([]);
        return await this.#brokers.ask(controllerId, api, ...args);
      } catch (error) {
        if (tries >= controllerTries || typeOf(error) !== 'NOT_CONTROLLER') throw error;
      }
    }
  }
}
