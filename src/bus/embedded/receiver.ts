import { Observable, type SchedulerLike } from 'rxjs';
import type { Delivery } from '../../core/delivery.ts';
import type { Bytes } from '../../core/message.ts';
import type { SourceOptions, TopicPartition } from '../event-bus.ts';
import { offsetIn } from '../same-partition.ts';
import type { BusCondition } from '../bus-condition.ts';
import type { CommitCell } from './commit-cell.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { Consumer, type ConsumerHost } from './consumer.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { FaultInjector } from './faults.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { Maintenance } from './maintenance.ts';
import type { PartitionLog } from './partition-log.ts';
import { type OpenTopic, type TopicCatalog, logOf } from './topic-catalog.ts';
import { watchUnsettled } from '../unsettled-watch.ts';

/** What a receiver needs of its bus. */
export interface ReceiverHost {
  readonly topics: TopicCatalog;
  readonly groups: GroupRegistry;
  readonly dispatcher: Dispatcher;
  readonly maintenance: Maintenance;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly faults: FaultInjector | undefined;
  /** @throws BusError where nothing may be read now */
  requireRunning(): void;
}

/** The subscribing side of a bus: knows its consumers, and which of them read a partition. */
export class Receiver implements ConsumerHost {
  readonly scheduler: SchedulerLike;
  readonly #host: ReceiverHost;
  readonly #consumers = new Set<Consumer>();
  readonly #readersOf = new Map<PartitionLog, Set<Consumer>>();

  constructor(host: ReceiverHost) {
    this.#host = host;
    this.scheduler = host.scheduler;
  }

  get activeConsumers(): number {
    return this.#consumers.size;
  }

  source(topics: string | readonly string[], options: SourceOptions): Observable<Delivery<Bytes>> {
    const names = typeof topics === 'string' ? [topics] : topics;
    return new Observable(observer => {
      for (const name of names) this.#partitionsOf(name);
      const consumer = new Consumer(
        this,
        names,
        observer,
        options,
        watchUnsettled(this.#host.condition, options.onLost),
      );
      const group = options.group === undefined ? this.#loneGroup() : this.#host.groups.group(options.group);
      this.#consumers.add(consumer);
      const { commitIntervalMs } = options;
      if (commitIntervalMs !== undefined) observer.add(this.#host.maintenance.persistEvery(commitIntervalMs));
      observer.add(() => this.#leave(group, consumer));
      for (const name of names) {
        for (const log of this.#host.topics.get(name).logs) this.#addReader(log, consumer);
      }
      this.#host.dispatcher.batch(() => group.join(consumer, cell => this.#startOf(cell, options)));
    });
  }

  /** Whoever may read the partition. */
  readersOf(log: PartitionLog): Iterable<Consumer> {
    return this.#readersOf.get(log) ?? [];
  }

  wakeAll(): void {
    for (const consumer of this.#consumers) this.wake(consumer);
  }

  /** Completes every source that reads the topic: it is being deleted. */
  close({ logs }: OpenTopic): void {
    for (const consumer of new Set(logs.flatMap(log => [...this.readersOf(log)]))) consumer.complete();
    for (const log of logs) this.#readersOf.delete(log);
  }

  /** Completes every source. */
  stop(): void {
    for (const consumer of [...this.#consumers]) consumer.complete();
    this.#readersOf.clear();
  }

  // What consumers need.

  get disconnected(): boolean {
    return this.#host.faults?.disconnected === true;
  }

  wake(consumer: Consumer): void {
    this.#host.dispatcher.wake(consumer);
  }

  roomFreed(log: PartitionLog): void {
    this.#host.dispatcher.touch(log);
  }

  log({ topic, partition }: TopicPartition): PartitionLog {
    return logOf(this.#host.topics.get(topic), partition);
  }

  delivered(ageMs: number): void {
    this.#host.condition.delivered(ageMs);
  }

  #partitionsOf(topic: string): number {
    this.#host.requireRunning();
    return this.#host.topics.get(topic).logs.length;
  }

  #startOf({ topic, partition }: CommitCell, { from = 'earliest' }: SourceOptions): number {
    const { store } = this.log({ topic, partition });
    if (from === 'earliest') return store.firstOffset;
    if (from === 'latest') return store.nextOffset;
    if ('time' in from) return store.offsetAtTime(from.time);
    const wanted = offsetIn(from.offsets, { topic, partition }) ?? 0;
    return Math.min(Math.max(wanted, store.firstOffset), store.nextOffset);
  }

  /** A reader without a group reads everything and leaves no trace. */
  #loneGroup(): ConsumerGroup {
    return new ConsumerGroup(
      '',
      topic => this.#partitionsOf(topic),
      () => undefined,
    );
  }

  #leave(group: ConsumerGroup, consumer: Consumer): void {
    this.#consumers.delete(consumer);
    for (const readers of this.#readersOf.values()) readers.delete(consumer);
    this.#host.dispatcher.batch(() => group.leave(consumer));
  }

  #addReader(log: PartitionLog, consumer: Consumer): void {
    const readers = this.#readersOf.get(log) ?? new Set();
    this.#readersOf.set(log, readers.add(consumer));
  }
}
