import { type Observable, type SchedulerLike, Subscription, asyncScheduler } from 'rxjs';
import type { Delivery } from '../../core/delivery.ts';
import type { Bytes, Message, OutgoingMessage } from '../../core/message.ts';
import { BusError, type Handler, type Published, type Receipt } from '../../core/publisher.ts';
import type { TopicSpec } from '../../core/topic.ts';
import type { Capabilities } from '../capabilities.ts';
import {
  type EventBus,
  type PublishResult,
  type SourceOptions,
  type SubscribeOptions,
  type SubscriptionHandle,
  type TopicInfo,
  type TopicPartition,
  rateSpanMs,
} from '../event-bus.ts';
import { subscribeHandler } from '../handler-subscription.ts';
import type { BusHealth } from '../health.ts';
import { BusCondition } from '../bus-condition.ts';
import { Dispatcher } from './dispatcher.ts';
import type { FaultInjector } from './faults.ts';
import { GroupRegistry } from './group-registry.ts';
import { Maintenance } from './maintenance.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { Storage } from './storage.ts';
import { TopicCatalog } from './topic-catalog.ts';

/** The settings that the in-memory and the folder kind share. */
export interface EmbeddedBusOptions {
  /** Bytes that one partition may hold; past them publishers wait. */
  readonly maxPartitionBytes?: number;
  /** Publishers that may wait for room in one partition; default 10 000. */
  readonly maxWaitingPublishes?: number;
  /** How long a publisher waits for room, ms; default 30 000. */
  readonly publishTimeoutMs?: number;
  /** How often retention and compaction run, ms; default 60 000. */
  readonly maintenanceIntervalMs?: number;
  /** The clock and timers; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  readonly faults?: FaultInjector;
}

const capabilities = {
  transactions: false,
  seek: true,
  compaction: true,
  delayedRedelivery: true,
  multiProcess: false,
} as const;

/** The embedded bus over a storage: kind `stub` in memory, kind `embedded` in a folder. */
export class EmbeddedBus implements EventBus {
  readonly kind: string;
  readonly capabilities: Capabilities;
  readonly scheduler: SchedulerLike;
  readonly #storage: Storage;
  readonly #options: EmbeddedBusOptions;
  readonly #topics: TopicCatalog;
  readonly #groups: GroupRegistry;
  readonly #dispatcher: Dispatcher;
  readonly #maintenance: Maintenance;
  readonly #condition = new BusCondition();
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #timers = new Subscription();
  #running = false;

  constructor(kind: string, storage: Storage, options: EmbeddedBusOptions & { maxPartitionBytes: number }) {
    this.kind = kind;
    this.capabilities = { ...capabilities, durable: storage.durable };
    this.scheduler = options.scheduler ?? asyncScheduler;
    this.#storage = storage;
    this.#options = options;
    this.#topics = new TopicCatalog(storage, {
      maxBytes: options.maxPartitionBytes,
      maxWaiting: options.maxWaitingPublishes ?? 10_000,
      publishTimeoutMs: options.publishTimeoutMs ?? 30_000,
      scheduler: this.scheduler,
      report: cause => this.#condition.failed('making room', cause),
      roomMade: log => this.#dispatcher.touch(log),
    });
    this.#groups = new GroupRegistry(storage.ledger, topic => this.partitionsOf(topic));
    this.#dispatcher = new Dispatcher(log => this.#receiver.readersOf(log));
    this.#sender = new Sender({
      topics: this.#topics,
      dispatcher: this.#dispatcher,
      condition: this.#condition,
      scheduler: this.scheduler,
      faults: options.faults,
      requireWritable: () => this.#requireWritable(),
    });
    this.#maintenance = new Maintenance(this.#topics, this.#groups, this.scheduler, this.#condition);
    this.#receiver = new Receiver({
      topics: this.#topics,
      groups: this.#groups,
      dispatcher: this.#dispatcher,
      maintenance: this.#maintenance,
      condition: this.#condition,
      scheduler: this.scheduler,
      faults: options.faults,
      requireRunning: () => this.#requireRunning(),
    });
    options.faults?.onChange(() => this.#reconnected());
  }

  start(): Promise<void> {
    if (this.#running) return Promise.resolve();
    return attempt(() => {
      this.#storage.open();
      try {
        this.#topics.open();
        this.#groups.setBack(partition => this.#endOf(partition));
      } catch (cause) {
        this.#topics.close();
        this.#storage.close();
        throw cause;
      }
      this.#running = true;
      if (this.#storage.readOnly === true) return;
      this.#timers = this.#maintenance.start(this.#options.maintenanceIntervalMs ?? 60_000);
    });
  }

  stop(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return attempt(() => {
      this.#timers.unsubscribe();
      this.#sender.stop();
      this.#receiver.stop();
      this.#running = false;
      const stopped = new BusError(
        'bus-not-started',
        'the bus was stopped while the message waited for room: start it, and publish the message again',
      );
      for (const { logs } of this.#topics.all) for (const log of logs) log.refuseAll(stopped);
      this.#groups.stage();
      this.#groups.clear();
      this.#topics.close();
      this.#storage.close();
    });
  }

  health(): Promise<BusHealth> {
    const disconnected = this.#disconnected ? ['disconnected by fault injection'] : [];
    return Promise.resolve(
      this.#condition.health({
        running: this.#running,
        problems: [...disconnected, ...(this.#storage.problems ?? [])],
        connectedBrokers: this.#running && !this.#disconnected ? 1 : 0,
        activeTopics: this.#topics.names.length,
        activeConsumers: this.#receiver.activeConsumers,
      }),
    );
  }

  partitionsOf(topic: string): number {
    this.#requireRunning();
    return this.#topics.get(topic).logs.length;
  }

  send(message: OutgoingMessage, done: Published): void {
    this.#sender.send(message, done);
  }

  publish(message: OutgoingMessage): Promise<Receipt> {
    return this.#sender.publish(message);
  }

  publishBatch(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#sender.publishBatch(messages);
  }

  subscribe(topic: string, handler: Handler, options: SubscribeOptions): Promise<SubscriptionHandle> {
    return this.subscribeWithFilter(topic, () => true, handler, options);
  }

  subscribeWithFilter(
    topic: string,
    predicate: (message: Message) => boolean,
    handler: Handler,
    options: SubscribeOptions,
  ): Promise<SubscriptionHandle> {
    return attempt(() => {
      this.partitionsOf(topic);
      return subscribeHandler(merged => this.source(topic, merged), handler, options, predicate);
    });
  }

  createTopic(spec: TopicSpec): Promise<void> {
    return attempt(() => {
      this.#requireWritable();
      this.#topics.create(spec);
    });
  }

  deleteTopic(name: string): Promise<void> {
    return attempt(() => {
      this.#requireWritable();
      this.#receiver.close(this.#topics.get(name));
      this.#groups.forget(name);
      this.#topics.delete(name);
    });
  }

  getTopicInfo(name: string): Promise<TopicInfo> {
    return attempt(() => {
      this.#requireRunning();
      const { settings, logs } = this.#topics.get(name);
      const since = this.scheduler.now() - rateSpanMs;
      const partitions = logs.map(({ partition, store }) => ({
        partition,
        firstOffset: store.firstOffset,
        nextOffset: store.nextOffset,
        bytes: store.bytes,
        perSecond: (store.nextOffset - store.offsetAtTime(since)) / (rateSpanMs / 1000),
      }));
      const groups = this.#groups.lags(
        name,
        partitions.map(({ nextOffset }) => nextOffset),
      );
      return { name, settings, partitions, groups };
    });
  }

  endOffsets(topic: string): Promise<readonly number[]> {
    return attempt(() => {
      this.#requireRunning();
      return this.#topics.get(topic).logs.map(({ store }) => store.nextOffset);
    });
  }

  listTopics(): Promise<readonly string[]> {
    return attempt(() => {
      this.#requireRunning();
      return this.#topics.names;
    });
  }

  deleteGroup(group: string): Promise<void> {
    return attempt(() => {
      this.#requireRunning();
      this.#groups.deleteGroup(group);
    });
  }

  source(topics: string | readonly string[], options: SourceOptions = {}): Observable<Delivery<Bytes>> {
    return this.#receiver.source(topics, options);
  }

  get #disconnected(): boolean {
    return this.#options.faults?.disconnected === true;
  }

  #requireRunning(): void {
    if (!this.#running) throw new BusError('bus-not-started', 'the bus is not started: call start() first');
  }

  #requireWritable(): void {
    this.#requireRunning();
    if (this.#storage.readOnly !== true) return;
    throw new BusError(
      'storage',
      'the bus was opened for reading: open it without readOnly to change anything',
    );
  }

  #endOf({ topic, partition }: TopicPartition): number | undefined {
    return this.#topics.has(topic) ? this.#topics.get(topic).logs[partition]?.store.nextOffset : undefined;
  }

  #reconnected(): void {
    if (this.#disconnected || !this.#running) return;
    this.#dispatcher.batch(() => {
      for (const { logs } of this.#topics.all) for (const log of logs) this.#dispatcher.touch(log);
      this.#receiver.wakeAll();
    });
  }
}

/** The outcome of a synchronous call as a Promise. */
function attempt<A>(call: () => A): Promise<A> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
    return Promise.reject(error);
  }
}
