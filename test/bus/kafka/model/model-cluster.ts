import type { SchedulerLike } from 'rxjs';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';
import type {
  MemberOffsets,
  PartitionBatch,
  PartitionOffset,
  WireRecord,
} from '../../../../src/bus/kafka/driver.ts';
import { placeName } from '../../../../src/bus/partition-name.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import { ModelGroup } from './model-group.ts';
import { ModelLog, type ModelTransaction } from './model-log.ts';

/** A producer of transactions as its coordinator knows it. */
interface Producer {
  epoch: number;
  open: (ModelTransaction & { readonly places: Map<string, TopicPartition> }) | undefined;
}

/** What a Kafka cluster promises, in memory and in virtual time. */
export class ModelCluster {
  readonly time: SchedulerLike;
  /** What was committed lower than before, in words. */
  readonly backwards: string[] = [];
  readonly #topics = new Map<string, readonly ModelLog[]>();
  readonly #groups = new Map<string, ModelGroup>();
  readonly #offsets = new Map<string, PartitionOffset & { readonly group: string }>();
  readonly #told: (group: string, place: PartitionOffset) => void;
  readonly #producers = new Map<string, Producer>();

  /** @param committed told of each offset that a transaction has committed */
  constructor(time: SchedulerLike, committed: (group: string, place: PartitionOffset) => void) {
    this.time = time;
    this.#told = committed;
  }

  get topics(): ReadonlyMap<string, readonly ModelLog[]> {
    return this.#topics;
  }

  createTopic(name: string, partitions: number): void {
    if (this.#topics.has(name)) throw new BusError('topic-exists', name);
    this.#topics.set(
      name,
      Array.from({ length: partitions }, () => new ModelLog()),
    );
  }

  log({ topic, partition }: TopicPartition): ModelLog {
    const log = this.#topics.get(topic)?.[partition];
    if (log === undefined) throw new BusError('topic-not-found', `${topic}[${partition}]`);
    return log;
  }

  store(place: TopicPartition, records: readonly WireRecord[]): number {
    return this.log(place).append(records, this.time.now());
  }

  group(name: string): ModelGroup {
    const known = this.#groups.get(name);
    if (known) return known;
    const made = new ModelGroup(name, this.time, topic => this.#topics.get(topic)?.length ?? 0);
    this.#groups.set(name, made);
    return made;
  }

  committed(group: string): readonly PartitionOffset[] {
    return [...this.#offsets.values()].filter(each => each.group === group);
  }

  // Transactions: whoever asks under an epoch that is not the last is refused.

  beginProducer(id: string): number {
    const producer = this.#producers.get(id) ?? { epoch: 0, open: undefined };
    this.#producers.set(id, producer);
    this.#end(producer, 'aborted');
    return ++producer.epoch;
  }

  storeIn(id: string, epoch: number, timeoutMs: number, { records, ...place }: PartitionBatch): number {
    const open = this.#opened(id, epoch, timeoutMs);
    open.places.set(placeName(place), place);
    return this.log(place).append(records, this.time.now(), open);
  }

  commit(id: string, epoch: number, members: readonly MemberOffsets[]): void {
    const producer = this.#required(id, epoch);
    for (const { member } of members)
      if (!this.group(member.group).isMember(member))
        throw fenced(`${member.memberId} is no member any more`);
    this.#end(producer, 'committed');
    for (const { member, offsets } of members) for (const each of offsets) this.#commit(member.group, each);
  }

  abort(id: string, epoch: number): void {
    this.#end(this.#required(id, epoch), 'aborted');
  }

  #commit(group: string, place: PartitionOffset): void {
    const name = `${group} in ${placeName(place)}`;
    const before = this.#offsets.get(name)?.offset ?? 0;
    if (place.offset < before) this.backwards.push(`${name}: from ${before} to ${place.offset}`);
    this.#offsets.set(name, { ...place, group });
    this.#told(group, place);
  }

  #opened(id: string, epoch: number, timeoutMs: number): NonNullable<Producer['open']> {
    const producer = this.#required(id, epoch);
    if (producer.open) return producer.open;
    const open = { outcome: 'open' as const, places: new Map<string, TopicPartition>() };
    producer.open = open;
    this.time.schedule(() => {
      if (producer.open !== open) return;
      this.#end(producer, 'aborted');
      producer.epoch++;
    }, timeoutMs);
    return open;
  }

  #required(id: string, epoch: number): Producer {
    const producer = this.#producers.get(id);
    if (producer?.epoch !== epoch) throw fenced(`${id} has another epoch`);
    return producer;
  }

  #end(producer: Producer, outcome: 'committed' | 'aborted'): void {
    const { open } = producer;
    if (open === undefined) return;
    producer.open = undefined;
    open.outcome = outcome;
    for (const place of open.places.values()) this.log(place).mark(this.time.now());
  }
}

function fenced(why: string): BusError {
  return new BusError('fenced', why);
}
