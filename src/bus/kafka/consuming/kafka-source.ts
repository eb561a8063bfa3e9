import { type Observer, type SchedulerLike, Subscription } from 'rxjs';
import type { Delivery } from '../../../core/delivery.ts';
import { inTime } from '../../../core/in-time.ts';
import type { Bytes, Message } from '../../../core/message.ts';
import { BusError } from '../../../core/publisher.ts';
import { DeliveryPump } from '../../delivery-pump.ts';
import type { SourceOptions, TopicPartition } from '../../event-bus.ts';
import type { PartitionTracker, TrackerHost } from '../../partition-tracker.ts';
import { isSamePartition } from '../../same-partition.ts';
import type { Due } from '../../source-duty.ts';
import type { UnsettledWatch } from '../../unsettled-watch.ts';
import type { Going, KafkaDriver } from '../driver.ts';
import type { TopicDirectory } from '../cluster/topic-directory.ts';
import { GroupMembership, type MembershipHost, type PartitionHolder } from '../groups/group-membership.ts';
import { KafkaTransaction } from '../transactions/kafka-transaction.ts';
import type { FetchHost } from './fetch-loops.ts';
import { FetchedPartition } from './fetched-partition.ts';
import { LeavingPartitions } from './leaving-partitions.ts';
import { PartitionReading, type ReadingHost } from './partition-reading.ts';
import { PartitionStarts } from './partition-starts.ts';
import type { OffsetsDriver, ReadRange } from './start-positions.ts';
import { TransactionShare } from './transaction-share.ts';

/** What a source needs of its bus. */
export interface SourceHost extends ReadingHost, MembershipHost {
  readonly driver: SourceDriver;
  readonly directory: Pick<TopicDirectory, 'find' | 'open' | 'hasLost'>;
}

/** What of its client a source uses. */
type SourceDriver = Pick<KafkaDriver, 'join' | 'openReader' | 'endDecided'> & OffsetsDriver;

/** One delivery in so many is looked at for latency and for being lost. */
const sampleEvery = 64;
/** How long leaving and closing may take, ms: whoever is waited for may be away. */
const closingMs = 10_000;

/** One subscription to topics: a member of a group, or a reader of its own. */
export class KafkaSource implements TrackerHost, FetchHost, PartitionHolder {
  readonly topics: readonly string[];
  readonly scheduler: SchedulerLike;
  readonly #host: SourceHost;
  readonly #options: SourceOptions;
  readonly #observer: Observer<Delivery<Bytes>>;
  readonly #watch: UnsettledWatch | undefined;
  readonly #pump: DeliveryPump<FetchedPartition>;
  readonly #starts: PartitionStarts;
  readonly #reading: PartitionReading;
  readonly #membership: GroupMembership | undefined;
  readonly #transaction: KafkaTransaction | undefined;
  readonly #share: TransactionShare;
  readonly #leaving: LeavingPartitions;
  readonly #controls = new Subscription();
  #begun = false;
  #closed = false;
  /** Nothing new is taken: as was asked for, or because partitions may go at any moment. */
  #paused = false;
  #rebalancing = false;
  #delivered = 0;

  constructor(
    host: SourceHost,
    topics: readonly string[],
    observer: Observer<Delivery<Bytes>>,
    options: SourceOptions,
    watch?: UnsettledWatch,
  ) {
    this.#host = host;
    this.scheduler = host.scheduler;
    this.topics = topics;
    this.#observer = observer;
    this.#options = options;
    this.#watch = watch;
    this.#pump = new DeliveryPump(
      observer,
      options,
      due => this.#delivering(due),
      () => this.#completeAtEnd(),
    );
    options.lifecycle?.began?.(this.#pump);
    this.#starts = new PartitionStarts(
      host.driver,
      options,
      ranges => this.#begin(ranges),
      error => this.failed(error),
    );
    this.#leaving = new LeavingPartitions(() => this.partitions, options.lifecycle);
    this.#reading = new PartitionReading(host, topics, this);
    this.#transaction = transactionOf(options);
    const { group } = options;
    if (group !== undefined) {
      const parked = this.#transaction?.memberships.take(group, topics);
      this.#membership = parked ?? new GroupMembership(host, group, topics, options, () => this.partitions);
    }
    this.#share = new TransactionShare(
      () => this.partitions,
      () => this.#membership?.identity,
    );
    this.#transaction?.enter(this.#share);
    this.#controls.add(
      options.pause$?.subscribe(paused => {
        this.#paused = paused;
        this.#pause();
      }),
    );
  }

  async start(): Promise<void> {
    const { directory } = this.#host;
    const known = await Promise.all(
      this.topics.map(async name => directory.find(name) ?? (await directory.open(name))),
    );
    await this.#reading.open();
    // Before it is asked what was committed: what an earlier session of this id has left open is decided by then.
    await this.#transaction?.ready();
    if (this.#closed) return;
    if (this.#membership) {
      await this.#membership.begin(this);
      return;
    }
    const all = known.flatMap(({ name, partitions: count }) =>
      Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
    );
    const { partitions } = this.#options;
    this.#starts.prepare(all.filter(({ partition }) => partitions?.includes(partition) !== false));
  }

  /**
   * Gives everything up: what is acked is committed, what is not comes again to whoever reads next.
   *
   * @param started settles when `start` has done what it could
   */
  async close(started: Promise<void>): Promise<void> {
    this.#closed = true;
    this.#controls.unsubscribe();
    this.#host.condition.worked(this.#work);
    this.#transaction?.leave(this.#share);
    const committed = this.#membership?.commitInTime();
    this.#keepOrStop();
    this.#revoke([...this.#pump.partitions, ...this.#starts.awaited]);
    this.#pump.close();
    const closed = (async (): Promise<void> => {
      await committed;
      await started;
      const leaving = this.#transaction ? undefined : this.#membership?.leave();
      await Promise.allSettled([leaving, this.#reading.close()]);
    })();
    const late = (): never => {
      throw new Error(`no answer within ${closingMs} ms`);
    };
    await inTime(closed, closingMs, this.scheduler, late);
  }

  /** A member that commits by a session belongs to it, and stays for the next source. */
  #keepOrStop(): void {
    const { group } = this.#options;
    if (this.#membership === undefined || group === undefined) return;
    if (this.#transaction) this.#transaction.memberships.put(group, this.topics, this.#membership);
    else this.#membership.stop();
  }

  complete(): void {
    this.#observer.complete();
  }

  get #work(): string {
    return `reading ${this.topics.join(', ')}`;
  }

  // What the trackers tell.

  released(message: Message): void {
    this.#pump.released(message);
    this.#reading.delivered();
  }

  redeliverable(): void {
    this.#pump.pump();
  }

  advanced({ topic, partition, prefix, oldest }: PartitionTracker): void {
    this.#options.lifecycle?.settled?.(topic, partition, prefix, oldest);
    this.#leaving.look();
    this.#pump.advanced();
    this.#completeAtEnd();
  }

  // What the loops tell.

  get partitions(): readonly FetchedPartition[] {
    return this.#pump.partitions;
  }

  fetched(): void {
    this.#pump.pump();
    this.#reading.delivered();
  }

  async outOfRange(partition: FetchedPartition): Promise<void> {
    const { topic, partition: index, position } = partition;
    const { driver } = this.#host;
    const first = (await driver.listOffsets(topic, 'first')).get(index);
    const next =
      first !== undefined && position < first ? first : (await driver.listOffsets(topic, 'next')).get(index);
    // Read anew meanwhile, it may be elsewhere.
    if (next === undefined || partition.position !== position) return;
    this.#host.condition.noted(
      `${topic}[${index}] no longer holds offset ${position}: reading goes on at ${next}, and what lay between is lost to this reader`,
    );
    partition.position = next;
  }

  failing(error: BusError | undefined): void {
    if (error === undefined) this.#host.condition.worked(this.#work);
    else if (!this.#closed) this.#host.condition.failed(this.#work, error);
    if (error?.code === 'topic-not-found') this.unheardOf();
  }

  /** A topic that was deleted has ended; one that its broker does not know yet has not. */
  unheardOf(): void {
    void this.#host.directory.hasLost(this.topics).then(isLost => {
      if (isLost && !this.#closed) this.#observer.complete();
    });
  }

  failed(error: unknown): void {
    if (!this.#closed) this.#observer.error(error);
  }

  // What the group tells.

  async rebalancing(going: Going, withinMs: number): Promise<void> {
    if (this.#closed) return;
    if (!this.#transaction) {
      await this.#leaving.begin(going, withinMs);
      return;
    }
    this.#rebalancing = true;
    this.#pause();
    await this.#transaction.settledForRebalance();
  }

  #pause(): void {
    this.#pump.pause(this.#paused || this.#rebalancing);
    this.#reading.delivered();
  }

  assigned(partitions: readonly TopicPartition[], continued: boolean): void {
    if (this.#closed) return;
    const isWanted = (held: TopicPartition): boolean =>
      partitions.some(wanted => isSamePartition(wanted, held));
    const held = [...this.#pump.partitions, ...this.#starts.awaited];
    const lost = continued ? held.filter(each => !isWanted(each)) : held;
    const repeated = this.#pump.partitions
      .filter(partition => lost.includes(partition))
      .reduce((sum, { repeats }) => sum + repeats, 0);
    this.#host.condition.counted('repeatedDeliveries', repeated);
    const problem = this.#share.problemOf(lost, this.#transaction?.isTakingStock === true);
    if (problem) this.#transaction?.break(problem);
    this.#revoke(lost, repeated);
    const kept = continued ? held.filter(isWanted) : [];
    const gained = partitions.filter(wanted => !kept.some(each => isSamePartition(each, wanted)));
    if (gained.length > 0) this.#starts.prepare(gained);
    this.#leaving.end();
    this.#rebalancing = false;
    this.#pause();
  }

  #revoke(partitions: readonly TopicPartition[], repeated?: number): void {
    if (partitions.length === 0) return;
    for (const partition of partitions) {
      const fetched = this.#find(partition);
      if (fetched !== undefined) this.#pump.remove(fetched);
      this.#starts.giveUp(partition);
    }
    const places = partitions.map(({ topic, partition }) => ({ topic, partition }));
    this.#options.lifecycle?.revoked(places, repeated);
    this.#leaving.look();
    this.#pump.pump();
  }

  #begin(ranges: readonly ReadRange[]): void {
    if (this.#closed) return;
    this.#begun = true;
    for (const range of ranges) {
      const partition = new FetchedPartition(this, range, range.offset, range.end);
      this.#leaving.mark(partition);
      this.#pump.add(partition);
    }
    this.#reading.look();
    this.#completeAtEnd();
  }

  #delivering(due: Due): void {
    if (this.#delivered++ % sampleEvery !== 0) return;
    this.#host.condition.delivered(Math.max(0, this.scheduler.now() - due.message.logTime));
    this.#watch?.look(due);
  }

  /** Not while a delivery is being made: it may have been acked on its way, before all have seen it. */
  #completeAtEnd(): void {
    if (this.#options.untilEnd !== true || this.#closed || this.#pump.isDelivering) return;
    const { partitions } = this.#pump;
    // A member without partitions may get some.
    if (!this.#begun || this.#starts.awaited.length > 0 || (this.#membership && partitions.length === 0))
      return;
    if (partitions.every(partition => partition.finished)) this.#observer.complete();
  }

  #find(place: TopicPartition): FetchedPartition | undefined {
    return this.#pump.partitions.find(each => isSamePartition(each, place));
  }
}

/** @throws BusError `invalid-option` where it is not one of a bus on Kafka, or the source has no group */
function transactionOf({ transaction, group }: SourceOptions): KafkaTransaction | undefined {
  if (transaction === undefined) return undefined;
  if (transaction instanceof KafkaTransaction && group !== undefined) return transaction;
  throw new BusError(
    'invalid-option',
    'transaction: use a session that this bus has opened, and name the group that commits by it',
  );
}
