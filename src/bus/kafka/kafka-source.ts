import { type Observer, type SchedulerLike, Subscription, firstValueFrom } from 'rxjs';
import type { Delivery } from '../../core/delivery.ts';
import type { Bytes, Message } from '../../core/message.ts';
import type { BusError } from '../../core/publisher.ts';
import type { BusCondition } from '../bus-condition.ts';
import { DeliveryPump, type Due } from '../delivery-pump.ts';
import type { SourceOptions, StartOffset, TopicPartition } from '../event-bus.ts';
import type { PartitionTracker, TrackerHost } from '../partition-tracker.ts';
import type { UnsettledWatch } from '../unsettled-watch.ts';
import type { DriverMember, DriverReader, KafkaDriver, MemberEvents } from './driver.ts';
import { type FetchHost, FetchLoops } from './fetch-loops.ts';
import { FetchedPartition } from './fetched-partition.ts';
import type { ConsumingOptions } from './kafka-options.ts';
import { OffsetCommits } from './offset-commits.ts';
import { StartPositions } from './start-positions.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** What a source needs of its bus. */
export interface SourceHost {
  readonly driver: KafkaDriver;
  readonly directory: TopicDirectory;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly consuming: Required<ConsumingOptions>;
}

/** One delivery in so many is looked at for latency and for being lost. */
const sampleEvery = 64;

/** One subscription to topics: a member of a group, or a reader of its own. */
export class KafkaSource implements TrackerHost, FetchHost, MemberEvents {
  readonly topics: readonly string[];
  readonly scheduler: SchedulerLike;
  readonly #host: SourceHost;
  readonly #options: SourceOptions;
  readonly #observer: Observer<Delivery<Bytes>>;
  readonly #watch: UnsettledWatch | undefined;
  readonly #pump: DeliveryPump<FetchedPartition>;
  readonly #positions: StartPositions;
  readonly #controls = new Subscription();
  /** Partitions that are not read yet, because it is not known from where; by assignment. */
  readonly #preparing = new Set<Set<TopicPartition>>();
  #reader: DriverReader | undefined;
  #loops: FetchLoops | undefined;
  #member: DriverMember | undefined;
  #commits: OffsetCommits | undefined;
  #closed = false;
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
    this.#pump = new DeliveryPump(observer, options, due => this.#delivering(due));
    this.#positions = new StartPositions(host.driver, options);
    this.#controls.add(
      options.pause$?.subscribe(paused => {
        this.#pump.pause(paused);
        this.#loops?.delivered();
      }),
    );
  }

  async start(): Promise<void> {
    const { driver, directory, consuming } = this.#host;
    const known = await Promise.all(
      this.topics.map(async name => directory.find(name) ?? (await directory.open(name))),
    );
    const reader = await driver.openReader();
    this.#reader = reader;
    await reader.refresh(this.topics);
    this.#loops = new FetchLoops(reader, this, consuming);
    if (this.#closed) return;
    const { group, partitions, exclusive = false } = this.#options;
    if (group === undefined) {
      const all = known.flatMap(({ name, partitions: count }) =>
        Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
      );
      this.#prepare(all.filter(({ partition }) => partitions?.includes(partition) !== false));
      return;
    }
    const member = await driver.join(group, this.topics, exclusive, consuming, this);
    this.#member = member;
    this.#commits = new OffsetCommits(
      member,
      () => this.#pump.partitions,
      this.#options.lifecycle,
      error => this.#committed(error),
    );
    this.#commitEvery(this.#options.commitIntervalMs ?? 1000);
  }

  /**
   * Gives everything up: what is acked is committed, what is not comes again to whoever reads next.
   *
   * @param started settles when `start` has done what it could
   */
  async close(started: Promise<void>): Promise<void> {
    this.#closed = true;
    this.#controls.unsubscribe();
    const committed = this.#commits?.commit();
    this.#revoke([...this.#pump.partitions, ...[...this.#preparing].flatMap(awaited => [...awaited])]);
    this.#pump.close();
    await committed;
    await started;
    await Promise.allSettled([this.#member?.leave(), this.#loops?.close()]);
    await this.#reader?.close();
  }

  complete(): void {
    this.#observer.complete();
  }

  /** Whether a delivery of this offset is out and not settled. */
  isInFlight(topic: string, partition: number, offset: number): boolean {
    return this.#find({ topic, partition })?.tracker.isInFlight(offset) ?? false;
  }

  // What the trackers tell.

  released(message: Message): void {
    this.#pump.released(message);
    this.#loops?.delivered();
  }

  redeliverable(): void {
    this.#pump.pump();
  }

  advanced({ topic, partition, prefix }: PartitionTracker): void {
    this.#options.lifecycle?.settled?.(topic, partition, prefix);
    this.#pump.advanced();
    this.#completeAtEnd();
  }

  // What the loops tell.

  get partitions(): readonly FetchedPartition[] {
    return this.#pump.partitions;
  }

  fetched(): void {
    this.#pump.pump();
    this.#loops?.delivered();
    this.#completeAtEnd();
  }

  async outOfRange(partition: FetchedPartition): Promise<void> {
    const { topic, partition: index, position } = partition;
    const bounds = (await this.#host.driver.offsets(topic)).find(each => each.partition === index);
    if (bounds === undefined) return;
    const next = position < bounds.first ? bounds.first : bounds.next;
    this.#host.condition.noted(
      `${topic}[${index}] no longer holds offset ${position}: reading goes on at ${next}, and what lay between is lost to this reader`,
    );
    partition.position = next;
  }

  failing(error: BusError | undefined): void {
    const work = `reading ${this.topics.join(', ')}`;
    if (error === undefined) this.#host.condition.worked(work);
    else this.#host.condition.failed(work, error);
    if (error?.code === 'topic-not-found') void this.#completeIfGone();
  }

  failed(error: unknown): void {
    if (!this.#closed) this.#observer.error(error);
  }

  // What the group tells.

  rebalancing(): void {
    void this.#commits?.commit();
  }

  assigned(partitions: readonly TopicPartition[], continued: boolean): void {
    if (this.#closed) return;
    const isWanted = (held: TopicPartition): boolean => partitions.some(wanted => isSame(wanted, held));
    const held = [...this.#pump.partitions, ...[...this.#preparing].flatMap(awaited => [...awaited])];
    const lost = continued ? held.filter(each => !isWanted(each)) : held;
    if (lost.length > 0) this.#revoke(lost);
    const kept = continued ? held.filter(isWanted) : [];
    const gained = partitions.filter(wanted => !kept.some(each => isSame(each, wanted)));
    if (gained.length > 0) this.#prepare(gained);
  }

  #revoke(partitions: readonly TopicPartition[]): void {
    if (partitions.length === 0) return;
    for (const partition of partitions) {
      const fetched = this.#find(partition);
      if (fetched !== undefined) this.#pump.remove(fetched);
      for (const awaited of this.#preparing) {
        for (const each of [...awaited]) if (isSame(each, partition)) awaited.delete(each);
      }
    }
    this.#options.lifecycle?.revoked(partitions.map(({ topic, partition }) => ({ topic, partition })));
    this.#pump.pump();
  }

  /** Partitions are read once the lifecycle, where there is one, has named the offsets. */
  #prepare(partitions: readonly TopicPartition[]): void {
    const awaited = new Set(partitions);
    this.#preparing.add(awaited);
    const { lifecycle } = this.#options;
    const named: Promise<readonly StartOffset[]> = lifecycle
      ? firstValueFrom(lifecycle.assigned(partitions), { defaultValue: [] })
      : Promise.resolve([]);
    named
      .then(offsets => this.#begin(awaited, offsets))
      .catch((error: unknown) => {
        this.failed(error);
      });
  }

  async #begin(awaited: Set<TopicPartition>, named: readonly StartOffset[]): Promise<void> {
    const ranges = await this.#positions.of([...awaited], named);
    this.#preparing.delete(awaited);
    if (this.#closed) return;
    for (const range of ranges) {
      // What was given up meanwhile is not begun.
      if (![...awaited].some(partition => isSame(partition, range))) continue;
      this.#pump.add(new FetchedPartition(this, range, range.offset, range.end));
    }
    this.#loops?.look();
    this.#completeAtEnd();
  }

  #delivering({ message, duty }: Due): void {
    if (this.#delivered++ % sampleEvery !== 0) return;
    this.#host.condition.delivered(Math.max(0, this.scheduler.now() - message.logTime));
    this.#watch?.look(duty, message);
  }

  #commitEvery(intervalMs: number): void {
    const tick = (): void => {
      void this.#commits?.commit();
      this.#controls.add(this.scheduler.schedule(tick, intervalMs));
    };
    this.#controls.add(this.scheduler.schedule(tick, intervalMs));
  }

  #committed(error: unknown): void {
    const work = `committing of ${this.#options.group ?? ''}`;
    if (error === undefined) this.#host.condition.worked(work);
    else if (!this.#closed) this.#host.condition.failed(work, error);
  }

  #completeAtEnd(): void {
    if (this.#options.untilEnd !== true || this.#closed || this.#preparing.size > 0) return;
    if (this.#pump.partitions.every(partition => partition.finished)) this.#observer.complete();
  }

  /** A topic that was deleted has ended; one that its broker does not know yet has not. */
  async #completeIfGone(): Promise<void> {
    const found = await Promise.all(this.topics.map(name => this.#host.directory.learn(name)));
    if (!this.#closed && found.includes(undefined)) this.#observer.complete();
  }

  #find(place: TopicPartition): FetchedPartition | undefined {
    return this.#pump.partitions.find(each => isSame(each, place));
  }
}

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}
