import type { Observable } from 'rxjs';
import type { Delivery } from '../core/delivery.ts';
import type { Bytes, Message, Offset, OutgoingMessage } from '../core/message.ts';
import type { BusError, Handler, Publisher, Receipt } from '../core/publisher.ts';
import type { TopicSettings, TopicSpec } from '../core/topic.ts';
import type { Capabilities } from './capabilities.ts';
import type { BusHealth } from './health.ts';
import type { TopicAdmin } from './topic-admin.ts';
import type { TransactionSession, Transactions } from './transactions.ts';

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Where a reader begins that has no committed offset: an end of the log, a log time in ms, or offsets, each brought
 * between what is the first and what is the end; a partition that none is said of begins at the earliest.
 */
export type StartFrom =
  'earliest' | 'latest' | { readonly time: number } | { readonly offsets: readonly StartOffset[] };

/** How much a source has to do just now. */
export interface SourceLoad {
  /** Deliveries that are not settled. */
  readonly unsettled: number;
  /**
   * Messages taken from the first unsettled one of each partition on, settled or not. Messages, and not offsets:
   * between those may be any number that nobody sees, of transactions or compacted away.
   */
  readonly spread: number;
  /** How many of those were dropped by these operators, as `Settlement.drop` tells. */
  dropped(by: ReadonlySet<string>): number;
}

/** What a source does when partitions come and go, for those who keep state beside them. */
export interface PartitionLifecycle {
  /** Called once, before anything else, with what tells at any time how busy the source is. */
  began?(load: SourceLoad): void;
  /**
   * Called before the first message of newly assigned partitions; they flow once it has emitted, from the
   * offsets that it names, else from the committed ones.
   */
  assigned(partitions: readonly TopicPartition[]): Observable<readonly StartOffset[]>;
  /**
   * Called when they are about to be given up, and no new message of them comes: they go once it has emitted or ended,
   * or so many ms have passed. What is committable by then is committed. Without it they go once all that was delivered
   * of them is acked. Not called where they are lost at once, or committed by a transaction.
   */
  leaving?(partitions: readonly TopicPartition[], withinMs: number): Observable<unknown>;
  /**
   * Called once they have been given up.
   *
   * @param repeated how many deliveries come again to whoever has them next, where others do
   */
  revoked(partitions: readonly TopicPartition[], repeated?: number): void;
  /** How far, at most, the partition may be committed now; undefined: as far as it is acked. */
  commitLimit?(partition: TopicPartition): number | undefined;
  /** A publisher waits for room that a commit would free: whoever holds commits back should hurry. */
  pressed?(): void;
  /**
   * The contiguous prefix of acked messages of a partition has grown up to this offset, exclusive; `oldest` is the
   * message that was taken and holds it there, where there is one.
   */
  settled?(topic: string, partition: number, offset: number, oldest: Message | undefined): void;
}

export interface StartOffset extends TopicPartition {
  readonly offset: Offset;
}

export interface SourceOptions {
  /** The consumer group; without one the source reads every partition and commits nothing. */
  readonly group?: string;
  /** One member of the group has all partitions, and the others stand by; default false. */
  readonly exclusive?: boolean;
  /** Where to begin without a committed offset; default `earliest`. */
  readonly from?: StartFrom;
  /** Only these partitions, for a reader without a group; default: all. */
  readonly partitions?: readonly number[];
  /** Complete at what was the end when the source began; default false. */
  readonly untilEnd?: boolean;
  /** Unsettled deliveries at most, over all partitions; default 1024. */
  readonly maxInFlight?: number;
  /** Unsettled payload bytes at most; default 16 MiB. */
  readonly maxInFlightBytes?: number;
  /** How far acks may run ahead of the contiguous prefix of a partition; default 8 x maxInFlight. */
  readonly maxUncommitted?: number;
  /** How often committed offsets are made durable, ms; default 1000. */
  readonly commitIntervalMs?: number;
  /** Commits by it and not by time, see {@link TransactionSession}; for sources with a group. */
  readonly transaction?: TransactionSession;
  readonly lifecycle?: PartitionLifecycle;
  /** While it last said true no new message is taken; what is delivered again still comes. */
  readonly pause$?: Observable<boolean>;
  /** Commits again: the lifecycle's limit has moved. */
  readonly commit$?: Observable<unknown>;
  /** Told of a delivery that was lost unsettled, with its message. */
  readonly onLost?: (message: Pick<Message, 'topic' | 'partition' | 'offset' | 'key'>) => void;
}

export interface SubscribeOptions extends SourceOptions {
  /** Handlers running at once; messages of one key always run one after the other. Default 1. */
  readonly concurrency?: number;
  /** What a throwing handler gets: the message again after this many ms; default 1000. */
  readonly redeliverAfterMs?: number;
}

/** A running subscription. */
export interface SubscriptionHandle {
  /** Takes no more messages, waits for running handlers, commits. */
  unsubscribe(): Promise<void>;
  /** Settles when the subscription has ended: rejects with what ended it, where something did. */
  readonly closed: Promise<void>;
}

/** What became of one message of a batch. */
export type PublishResult =
  { readonly ok: true; readonly receipt: Receipt } | { readonly ok: false; readonly error: BusError };

export interface PartitionInfo {
  readonly partition: number;
  readonly firstOffset: number;
  /** The offset that the next message will get. */
  readonly nextOffset: number;
  readonly bytes: number;
  /** Messages stored a second, over the last minute by log time. */
  readonly perSecond: number;
  /** The node that leads it, in a cluster. */
  readonly leader?: number;
  /** The nodes that hold copies, and those whose copies are up to date, in a cluster. */
  readonly replicas?: readonly number[];
  readonly inSync?: readonly number[];
}

/** Over how long {@link PartitionInfo.perSecond} is taken, ms. */
export const rateSpanMs = 60_000;

/** A setting of a topic in the backend's own words that is not as the backend sets it when it creates one. */
export interface SettingDrift {
  readonly setting: string;
  readonly is: string;
  readonly should: string;
}

export interface GroupLag {
  readonly group: string;
  readonly partition: number;
  readonly committed: number;
  /** Messages between the committed offset and the end. */
  readonly lag: number;
}

export interface TopicInfo {
  readonly name: string;
  readonly settings: TopicSettings;
  readonly partitions: readonly PartitionInfo[];
  readonly groups: readonly GroupLag[];
  /** What of it was changed from outside, beside what `settings` tell. */
  readonly drift?: readonly SettingDrift[];
}

/** The one interface that every backend implements in full. */
export interface EventBus extends Publisher {
  readonly kind: string;
  readonly capabilities: Capabilities;
  /** For changing topics that are there; a backend without makes topics only anew. */
  readonly admin?: TopicAdmin;
  /** Where the backend is capable of `transactions`. */
  readonly transactions?: Transactions;

  /** Makes the bus ready. @throws BusError `storage` where its place cannot be opened */
  start(): Promise<void>;
  /** Ends every source (they complete), commits, releases everything. A stopped bus can be started again. */
  stop(): Promise<void>;
  health(): Promise<BusHealth>;

  /** @throws BusError with any code of the closed set */
  publish(message: OutgoingMessage): Promise<Receipt>;
  /** One result a message, in order; it never rejects for the sake of a single message. */
  publishBatch(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]>;

  /** Calls the handler for every message; returning is the ack, throwing the nack. */
  subscribe(topic: string, handler: Handler, options: SubscribeOptions): Promise<SubscriptionHandle>;
  /** As `subscribe`, for messages that the predicate accepts; the others are acked. */
  subscribeWithFilter(
    topic: string,
    predicate: (message: Message) => boolean,
    handler: Handler,
    options: SubscribeOptions,
  ): Promise<SubscriptionHandle>;

  createTopic(spec: TopicSpec): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  getTopicInfo(name: string): Promise<TopicInfo>;
  /** Of each partition the offset that the next message will get: what of `getTopicInfo` can be asked often. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /** The topics there are, by name. */
  listTopics(): Promise<readonly string[]>;

  /** Forgets what a group has committed. @throws BusError `invalid-option` while it has members */
  deleteGroup(group: string): Promise<void>;

  /**
   * The topics' messages as deliveries, cold: subscribing joins the group, unsubscribing leaves it. Deliveries
   * come while there is credit, see {@link SourceOptions.maxInFlight}, and each must be settled exactly once.
   */
  source(topics: string | readonly string[], options?: SourceOptions): Observable<Delivery<Bytes>>;
}
