import { Observable, type SchedulerLike, asyncScheduler } from 'rxjs';
import type { Delivery } from '../../core/delivery.ts';
import { inTime } from '../../core/in-time.ts';
import type { Bytes, Message, OutgoingMessage } from '../../core/message.ts';
import { BusError, type Handler, type Published, type Receipt } from '../../core/publisher.ts';
import type { TopicSpec } from '../../core/topic.ts';
import { BusCondition } from '../bus-condition.ts';
import type { Capabilities } from '../capabilities.ts';
import type {
  EventBus,
  PublishResult,
  SourceOptions,
  SubscribeOptions,
  SubscriptionHandle,
  TopicInfo,
} from '../event-bus.ts';
import { subscribeHandler } from '../handler-subscription.ts';
import type { BusHealth } from '../health.ts';
import { requireLegalTopic } from '../legal-topic.ts';
import { publishAll, publishOne } from '../publish-promises.ts';
import type { TopicAdmin } from '../topic-admin.ts';
import type { TransactionOptions, TransactionSession, Transactions } from '../transactions.ts';
import { watchUnsettled } from '../unsettled-watch.ts';
import { askWhileAway } from './ask-again.ts';
import type { KafkaDriver } from './driver.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { type KafkaSettings, settled } from './kafka-settings.ts';
import { UnderWay } from './under-way.ts';
import { ClusterHealth } from './cluster/cluster-health.ts';
import { createTopic } from './cluster/create-topic.ts';
import { describeTopic } from './cluster/describe-topic.ts';
import { GroupOffsets } from './cluster/group-offsets.ts';
import { alterableConfigsOf } from './cluster/topic-configs.ts';
import { TopicDirectory } from './cluster/topic-directory.ts';
import { KafkaSource } from './consuming/kafka-source.ts';
import { BatchingSender } from './publishing/batching-sender.ts';
import { KafkaTransaction } from './transactions/kafka-transaction.ts';

/** How long messages under way may hold up the end, ms. */
const lastSendsMs = 10_000;
/** How long connections may take to be closed, ms. */
const closingMs = 5000;
/** And how long for transactions to be given up, and their members to leave. */
const sessionsMs = 10_000;

/** How a bus comes by its driver. */
export type OpenDriver = (settings: KafkaSettings) => Promise<KafkaDriver>;

/** The bus on a Kafka cluster, over whatever client the driver wraps. */
export class KafkaBus implements EventBus {
  readonly kind = 'kafka';
  readonly capabilities: Capabilities = {
    transactions: true,
    seek: true,
    compaction: true,
    delayedRedelivery: true,
    durable: true,
    multiProcess: true,
  };
  readonly admin: TopicAdmin = {
    growPartitions: async (topic, partitions) => {
      const { driver, directory } = this.#require();
      await driver.createPartitions(topic, partitions);
      await directory.learnMade(topic, partitions);
    },
    alterTopic: async ({ name, settings }) => {
      const { driver, directory } = this.#require();
      requireLegalTopic({ name, settings });
      await driver.setConfigs(name, alterableConfigsOf(settings));
      directory.declare(name, settings);
      await directory.learn(name);
    },
  };
  readonly transactions: Transactions = { open: (id, how) => this.#openSession(id, how) };
  readonly #settings: KafkaSettings;
  readonly #scheduler: SchedulerLike;
  readonly #open: OpenDriver;
  readonly #condition = new BusCondition();
  readonly #sources = new Set<KafkaSource>();
  readonly #sessions = new Set<KafkaTransaction>();
  /** Sources that were unsubscribed from and still commit and leave. */
  readonly #closing = new UnderWay();
  #running: Running | undefined;

  constructor(options: KafkaOptions, open: OpenDriver) {
    this.#settings = settled(options);
    this.#scheduler = options.scheduler ?? asyncScheduler;
    this.#open = open;
    for (const what of ['rebalances', 'repeatedDeliveries', 'consumerRestarts'] as const) {
      this.#condition.counted(what, 0);
    }
  }

  async start(): Promise<void> {
    if (this.#running) return;
    const driver = await this.#open(this.#settings);
    const directory = new TopicDirectory(driver);
    try {
      await this.#connected(driver.connect().then(() => directory.learnAll()));
    } catch (error) {
      void driver.close();
      throw error;
    }
    const { publishing } = this.#settings;
    const sender = new BatchingSender(
      {
        directory,
        condition: this.#condition,
        scheduler: this.#scheduler,
        openProducer: after => driver.openProducer({ ...publishing, after }),
      },
      publishing,
    );
    const clusterHealth = new ClusterHealth(driver, this.#scheduler);
    this.#running = { driver, directory, sender, groups: new GroupOffsets(driver), clusterHealth };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    for (const source of [...this.#sources]) source.complete();
    await this.#closing.settled();
    const sessions = Promise.allSettled([...this.#sessions].map(session => session.close()));
    // What could not be taken back by then is by the brokers.
    await inTime(sessions, sessionsMs, this.#scheduler, () => undefined);
    // Connections that do not answer may take longer to be closed than anybody should wait.
    await inTime(running.sender.stop(lastSendsMs), lastSendsMs + closingMs, this.#scheduler, () => undefined);
    this.#running = undefined;
    running.directory.clear();
    await inTime(running.driver.close(), closingMs, this.#scheduler, () => undefined).catch(() => undefined);
  }

  async health(): Promise<BusHealth> {
    const running = this.#running;
    const figures = {
      running: running !== undefined,
      activeTopics: running?.directory.names.length ?? 0,
      activeConsumers: this.#sources.size,
    };
    if (running === undefined)
      return this.#condition.health({ ...figures, problems: [], connectedBrokers: 0 });
    const used = [...running.directory.used, ...[...this.#sources].flatMap(source => source.topics)];
    const cluster = await running.clusterHealth.ask(new Set(used));
    return this.#condition.health({ ...figures, ...cluster });
  }

  /** However often a client tries by itself: who starts a bus is told soon that there is none. */
  #connected(connecting: Promise<void>): Promise<void> {
    const { brokers, connectionTimeoutMs } = this.#settings;
    const limitMs = connectionTimeoutMs * 2;
    const late = (): never => {
      throw new BusError(
        'unavailable',
        `connecting to ${brokers.join(', ')}: no answer within ${limitMs} ms: see whether the brokers run, can be reached, and want TLS or SASL that is not set here, or the other way round`,
      );
    };
    return inTime(connecting, limitMs, this.#scheduler, late);
  }

  partitionsOf(topic: string): number {
    return this.#require().directory.get(topic).partitions;
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.#running) this.#running.sender.send(message, done);
    else done(notStarted(), undefined);
  }

  publish(message: OutgoingMessage): Promise<Receipt> {
    return publishOne(this, message);
  }

  publishBatch(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return publishAll(this, messages);
  }

  subscribe(topic: string, handler: Handler, options: SubscribeOptions): Promise<SubscriptionHandle> {
    return this.subscribeWithFilter(topic, () => true, handler, options);
  }

  async subscribeWithFilter(
    topic: string,
    predicate: (message: Message) => boolean,
    handler: Handler,
    options: SubscribeOptions,
  ): Promise<SubscriptionHandle> {
    const { directory } = this.#require();
    if (directory.find(topic) === undefined) await directory.open(topic);
    return subscribeHandler(merged => this.source(topic, merged), handler, options, predicate);
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    const { driver, directory } = this.#require();
    await createTopic({ driver, directory, condition: this.#condition }, spec);
  }

  async deleteTopic(name: string): Promise<void> {
    const { driver, directory } = this.#require();
    await driver.deleteTopic(name);
    directory.forget(name);
    for (const source of [...this.#sources]) if (source.topics.includes(name)) source.complete();
    await this.#closing.settled();
  }

  async getTopicInfo(name: string): Promise<TopicInfo> {
    const { driver, groups } = this.#require();
    return describeTopic(driver, groups, name, this.#scheduler.now());
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    const { driver, directory } = this.#require();
    if (directory.find(topic) === undefined) await directory.open(topic);
    return [...(await driver.listOffsets(topic, 'next')).values()];
  }

  async listTopics(): Promise<readonly string[]> {
    const { directory } = this.#require();
    await askWhileAway(() => directory.learnAll());
    return directory.names;
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#require().driver.deleteGroup(group);
  }

  source(topics: string | readonly string[], options: SourceOptions = {}): Observable<Delivery<Bytes>> {
    const names = typeof topics === 'string' ? [topics] : topics;
    return new Observable(observer => {
      const { driver, directory } = this.#require();
      const host = {
        driver,
        directory,
        condition: this.#condition,
        scheduler: this.#scheduler,
        consuming: this.#settings.consuming,
        // Time for a client to notice by itself that a request got no answer.
        stallMs: this.#settings.requestTimeoutMs * 2,
      };
      const source = new KafkaSource(
        host,
        names,
        observer,
        options,
        watchUnsettled(this.#condition, options.onLost),
      );
      this.#sources.add(source);
      const started = source.start().catch((error: unknown) => observer.error(error));
      observer.add(() => this.#close(source, started));
    });
  }

  #close(source: KafkaSource, started: Promise<void>): void {
    this.#sources.delete(source);
    const closing = source
      .close(started)
      .catch((error: unknown) =>
        this.#condition.noted(`leaving of ${source.topics.join(', ')}: ${String(error)}`),
      );
    void this.#closing.add(closing);
  }

  #openSession(id: string, options?: TransactionOptions): TransactionSession {
    const { driver, directory } = this.#require();
    const session = new KafkaTransaction(
      {
        driver,
        directory,
        condition: this.#condition,
        scheduler: this.#scheduler,
        publishing: this.#settings.publishing,
        closed: over => this.#sessions.delete(over),
      },
      id,
      options,
    );
    this.#sessions.add(session);
    return session;
  }

  #require(): Running {
    if (this.#running) return this.#running;
    throw notStarted();
  }
}

/** What there is while the bus runs. */
interface Running {
  readonly driver: KafkaDriver;
  readonly directory: TopicDirectory;
  readonly sender: BatchingSender;
  readonly groups: GroupOffsets;
  readonly clusterHealth: ClusterHealth;
}

function notStarted(): BusError {
  return new BusError('bus-not-started', 'the bus is not started: call start() first');
}
