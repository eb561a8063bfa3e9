import type { TopicPartition } from '../event-bus.ts';
import { CommitCell, type StartOf } from './commit-cell.ts';
import type { Consumer } from './consumer.ts';

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

  /**
   * Ranges by partition number: topics of equal partition counts are assigned together. Where one wants all or
   * nothing, the member that has been there longest has all.
   */
  #share(consumer: Consumer): Set<CommitCell> {
    const cells = new Set<CommitCell>();
    for (const topic of consumer.topics) {
      const sharers = this.#members.filter(member => member.consumer.topics.includes(topic));
      const rank = sharers.findIndex(member => member.consumer === consumer);
      const isExclusive = sharers.some(member => member.consumer.exclusive);
      const partitions = this.#partitionsOf(topic);
      for (let p = 0; p < partitions; p++) {
        const owner = isExclusive ? 0 : Math.floor((p * sharers.length) / partitions);
        if (owner === rank) cells.add(this.cell(topic, p));
      }
    }
    return cells;
  }
}
