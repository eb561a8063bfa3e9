import type { HeaderValue } from '../../core/headers.ts';
import type { BusError } from '../../core/publisher.ts';
import type { TopicPartition } from '../event-bus.ts';
import type { ProducerId } from './producer-id.ts';
import type { WhichOffset } from './which-offset.ts';

/** A record as it is on the wire. Text stands for its UTF-8; what was read is bytes only where it is not that. */
export interface WireRecord {
  readonly key: HeaderValue | null;
  readonly value: Uint8Array | null;
  /** Names and values in turn. */
  readonly headers: readonly HeaderValue[];
}

/** A record as a partition holds it. */
export interface StoredRecord extends WireRecord {
  readonly offset: number;
  /** Log time or create time, as the topic is set, ms. */
  readonly timestamp: number;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** The node that leads it; undefined while there is none. */
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicMetadata {
  readonly name: string;
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterDescription {
  readonly nodes: readonly number[];
  readonly controller: number | undefined;
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's own settings by name. */
  readonly configs: Readonly<Record<string, string>>;
}

/** Records for one partition, to be stored in this order. */
export interface PartitionBatch extends TopicPartition {
  readonly records: readonly WireRecord[];
}

/** From where, and how much at most, to read of a partition. */
export interface FetchWish extends PartitionOffset {
  readonly maxBytes: number;
}

export interface FetchedPartition extends TopicPartition {
  readonly records: readonly StoredRecord[];
  /** From where to fetch next: past what was filtered out, too. */
  readonly nextOffset: number;
  /** Where the partition ends for this reader. */
  readonly end: number;
  /** How many offsets there are behind that end, of transactions that are not over. */
  readonly undecided: number;
}

/** What became of a batch: the offset of its first record, -1 where the broker does not tell; or why it is not stored. */
export type StoreOutcome = number | BusError;

/** Stores records. One call at a time names a partition. */
export interface DriverProducer {
  /** One outcome a batch, in order. A batch that is sent again as it was after a retryable error is stored once. */
  send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]>;
  /** Under what name brokers count what it sends; undefined where they do not, or have not begun to. */
  readonly name?: ProducerId | undefined;
  close(): Promise<void>;
}

/** How far one member of a group has come, told together with its proof that it still is one. */
export interface MemberOffsets {
  readonly member: MemberIdentity;
  readonly offsets: readonly PartitionOffset[];
}

/** One member of a group in one generation: the brokers refuse what it commits once there is a later one. */
export interface MemberIdentity {
  readonly group: string;
  readonly memberId: string;
  readonly generation: number;
}

/**
 * A producer whose records are seen when a transaction is committed, and never where it is not. The first record after
 * one transaction begins the next. After any error but a refusal of single batches it is to be closed, and another of
 * its id opened.
 */
export interface DriverTransactions extends DriverProducer {
  /**
   * Commits everything that was sent, and the offsets of these members with it; no `send` may be under way. Resolves
   * once the brokers have decided so.
   *
   * @throws BusError `fenced` where a member is not one of that generation any more, or this producer's id is
   *   another's; any other: whether it is committed is not known
   */
  commit(members: readonly MemberOffsets[]): Promise<void>;
  /** Aborts what is open. */
  close(): Promise<void>;
  /** Once it is closed: what the next of its id has to see to. */
  readonly left: readonly EndedTransaction[];
}

/** A transaction that its coordinator knows as ended, or knows no more. */
export interface EndedTransaction {
  readonly producer: ProducerId;
  /** undefined where it is not known. */
  readonly isCommitted: boolean | undefined;
  /** The partitions that it has written to. */
  readonly places: readonly TopicPartition[];
  /** The groups whose offsets are part of it. */
  readonly groups: readonly string[];
}

export interface TransactionsOptions extends Pick<ProducerOptions, 'compression'> {
  /** After how long without a commit the brokers abort, ms. */
  readonly timeoutMs: number;
  /** What the one before of this id in this process has left; default nothing. */
  readonly left?: readonly EndedTransaction[];
  /** Told of transactions that brokers had left open. */
  readonly noted?: (what: string) => void;
}

/** Reads records, with connections of its own: a read that waits holds up nothing else. */
export interface DriverReader {
  /** Learns anew who leads the partitions. */
  refresh(topics: readonly string[]): Promise<void>;
  /** The node to read a partition from; undefined while nobody leads it. */
  leaderOf(partition: TopicPartition): number | undefined;
  /**
   * Waits up to `maxWaitMs` for anything to come.
   *
   * @throws OffsetOutOfRange, or BusError
   */
  fetch(node: number, wishes: readonly FetchWish[], maxWaitMs: number): Promise<readonly FetchedPartition[]>;
  close(): Promise<void>;
}

/** A partition does not hold the offset that was asked for. */
export class OffsetOutOfRange extends Error {
  override readonly name = 'OffsetOutOfRange';
  readonly place: TopicPartition;

  constructor(place: TopicPartition) {
    super(`${place.topic}[${place.partition}] does not hold the offset that was asked for`);
    this.place = place;
  }
}

/** The partitions that a member is about to give up; `any`: it is not known which, if any. */
export type Going = readonly TopicPartition[] | 'any';

/** What a member of a group is told; in order, and never again after `leave`. */
export interface MemberEvents {
  /** The group has heard of this member just now. */
  alive(): void;
  /**
   * Others come or go: what is done of the partitions that go is finished and committed. A member should not take part
   * in it before what is returned has settled: within three quarters of the session time-out, and it may give no sign
   * of life until then.
   *
   * @param going the partitions that this member is about to give up
   */
  rebalancing(going: Going): Promise<void>;
  /**
   * The partitions that are this member's from now on.
   *
   * @param continued whether this member never left: what it held before and holds again was nobody else's
   */
  assigned(partitions: readonly TopicPartition[], continued: boolean): void;
  /** It is out of the group for good. */
  failed(error: unknown): void;
}

/** Membership of a consumer group. */
export interface DriverMember {
  /** Who it was when it was told of its partitions last; undefined before. */
  readonly identity: MemberIdentity | undefined;
  /**
   * Commits as who the member was when it had come so far, whatever it has become since.
   *
   * @throws BusError where another may own a partition by now
   */
  commit(offsets: MemberOffsets): Promise<void>;
  /** Says so to the group until it has heard, or {@link JoinWish.isOver}: until then others wait for a whole session. */
  leave(): Promise<void>;
}

/** Who joins a group, and how. */
export interface JoinWish {
  readonly group: string;
  readonly topics: readonly string[];
  /** Whether one member is to have all partitions. */
  readonly exclusive: boolean;
  readonly options: MembershipOptions;
  readonly events: MemberEvents;
  /** Whether nobody waits any more until the group has heard that a member has left. */
  readonly isOver: () => boolean;
}

export interface MembershipOptions {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
}

export interface ProducerOptions {
  readonly acks: 0 | 1 | 'all';
  readonly idempotent: boolean;
  readonly compression: Compression;
  /**
   * The name of one that it takes the place of: it goes on under the next epoch of that. Of the one before brokers then
   * refuse what is still under way to a partition, once something of this one is stored there.
   */
  readonly after?: ProducerId | undefined;
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/**
 * What the backend needs of a Kafka client. Everything else, from batches and credits to commits, is ours and the
 * same for every client. Errors are BusErrors.
 */
export interface KafkaDriver {
  readonly name: string;
  connect(): Promise<void>;
  close(): Promise<void>;

  describeCluster(): Promise<ClusterDescription>;
  /** Asks one broker something small. @throws BusError `unavailable` where it does not answer */
  reach(node: number): Promise<void>;
  /** Of all topics, or of those of the named that exist. */
  describeTopics(names?: readonly string[]): Promise<readonly TopicMetadata[]>;
  topicConfigs(name: string): Promise<ReadonlyMap<string, string>>;
  /** Bytes on disk of each partition at its leader. */
  partitionBytes(topic: string): Promise<ReadonlyMap<number, number>>;
  /** Brokers may hear of it later. @throws BusError `topic-exists` */
  createTopic(topic: NewTopic): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /** Adds partitions until there are so many; brokers may hear of them later. */
  createPartitions(topic: string, partitions: number): Promise<void>;
  /** Sets these settings of Kafka's own and leaves the topic's others alone. */
  setConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void>;

  /** By partition, in their order; -1 where there is no message at or after the time that is asked for. */
  listOffsets(topic: string, which: WhichOffset): Promise<ReadonlyMap<number, number>>;
  groups(): Promise<readonly string[]>;
  /** @param topics default: all that the group has committed in */
  committed(group: string, topics?: readonly string[]): Promise<readonly PartitionOffset[]>;
  /**
   * What a group has committed for these partitions, once no open transaction may still commit others. Partitions are
   * named: of all that a group has, brokers leave out those whose first commit is such a transaction's.
   */
  stableOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>;
  deleteGroup(group: string): Promise<void>;

  openProducer(options: ProducerOptions): Promise<DriverProducer>;
  /**
   * Opens a producer of transactions: whoever had one of this id is fenced, and what it left open aborted, when it
   * resolves.
   */
  openTransactions(id: string, options: TransactionsOptions): Promise<DriverTransactions>;
  /**
   * Ends in a partition the transactions of this framework that are open there although they are decided; for each
   * whether it was committed.
   */
  endDecided(place: TopicPartition): Promise<readonly boolean[]>;
  openReader(): Promise<DriverReader>;
  join(wish: JoinWish): Promise<DriverMember>;
}
