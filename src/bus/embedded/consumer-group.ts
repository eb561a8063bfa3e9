import type { TopicPartition } from '../event-bus.ts';
import type { Consumer } from './consumer.ts';
import type { ReadMark } from './partition-log.ts';

/** The committed offset of one partition in one group. */
export class CommitCell implements TopicPartition, ReadMark {
  readonly topic: string;
  readonly partition: number;
  #offset: number | undefined;
  #floor = 0;
  /** Whether it has moved since it was last made durable. */
  dirty = false;
  /** Set by the reader: what it does when a sender waits for room. */
  onPressure: () => void = () => undefined;

  constructor(topic: string, partition: number, offset: number | undefined) {
    this.topic = topic;
    this.partition = partition;
    this.#offset = offset;
  }

  get offset(): number | undefined {
    return this.#offset;
  }

  /** What retention must keep: everything from here on. */
  get committed(): number {
    return this.#offset ?? this.#floor;
  }

  press(): void {
    this.onPressure();
  }

  /** A reader begins here; what lies below is no longer needed by it. */
  begin(start: number): void {
    this.#floor = start;
    if (this.#offset !== undefined && start < this.#offset) this.#offset = start;
  }

  advance(offset: number): boolean {
    if (offset <= this.committed) return false;
    this.#offset = offset;
    this.dirty = true;
    return true;
  }
}

/** Where a member begins a partition whose group has committed nothing. */
export type StartOf = (cell: CommitCell) => number;

interface Member {
  readonly consumer: Consumer;
  readonly startOf: StartOf;
}

/** The members of one group in this process, and which partitions each of them reads. */
export class ConsumerGroup {
  readonly name: string;
  readonly #partitionsOf: (topic: string) => number;
  readonly #committed: (partition: TopicPartition) => number | undefined;
  readonly #cells = new Map<string, CommitCell>();
  #members: Member[] = [];
  /** How often partitions have changed hands. */
  rebalances = 0;

  constructor(
    name: string,
    partitionsOf: (topic: string) => number,
    committed: (partition: TopicPartition) => number | undefined,
  ) {
    this.name = name;
    this.#partitionsOf = partitionsOf;
    this.#committed = committed;
  }

  get size(): number {
    return this.#members.length;
  }

  get cells(): Iterable<CommitCell> {
    return this.#cells.values();
  }

  join(consumer: Consumer, startOf: StartOf): void {
    this.#members.push({ consumer, startOf });
    this.#rebalance();
  }

  leave(consumer: Consumer): void {
    this.#members = this.#members.filter(member => member.consumer !== consumer);
    consumer.close();
    this.#rebalance();
  }

  forget(topic: string): void {
    for (const [name, cell] of this.#cells) if (cell.topic === topic) this.#cells.delete(name);
  }

  cell(topic: string, partition: number): CommitCell {
    const name = `${topic}/${partition}`;
    const existing = this.#cells.get(name);
    if (existing) return existing;
    const created = new CommitCell(topic, partition, this.#committed({ topic, partition }));
    this.#cells.set(name, created);
    return created;
  }

  /** All that is lost is given up before anything is taken over, so that no partition has two readers. */
  #rebalance(): void {
    const wanted = this.#members.map(member => this.#share(member.consumer));
    this.#members.forEach(({ consumer }, i) => {
      const lost = consumer.assigned.filter(held => !wanted[i]?.has(this.cell(held.topic, held.partition)));
      if (lost.length > 0) {
        this.rebalances++;
        consumer.revoke(lost);
      }
    });
    this.#members.forEach(({ consumer, startOf }, i) => {
      const held = new Set(consumer.assigned.map(({ topic, partition }) => this.cell(topic, partition)));
      const gained = [...(wanted[i] ?? [])].filter(cell => !held.has(cell));
      if (gained.length > 0) consumer.assign(gained, cell => cell.offset ?? startOf(cell));
    });
  }

  /** Ranges by partition number: topics of equal partition counts are assigned together. */
  #share(consumer: Consumer): Set<CommitCell> {
    const cells = new Set<CommitCell>();
    for (const topic of consumer.topics) {
      const sharers = this.#members.filter(member => member.consumer.topics.includes(topic));
      const rank = sharers.findIndex(member => member.consumer === consumer);
      const partitions = this.#partitionsOf(topic);
      for (let p = 0; p < partitions; p++) {
        if (Math.floor((p * sharers.length) / partitions) === rank) cells.add(this.cell(topic, p));
      }
    }
    return cells;
  }
}
