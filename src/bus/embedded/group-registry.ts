import { BusError } from '../../core/publisher.ts';
import type { GroupLag, TopicPartition } from '../event-bus.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { Ledger } from './storage.ts';

const ledgerPrefix = 'group/';

/** The consumer groups of a bus and their committed offsets, kept in the ledger. */
export class GroupRegistry {
  readonly #ledger: Ledger;
  readonly #partitionsOf: (topic: string) => number;
  readonly #groups = new Map<string, ConsumerGroup>();

  constructor(ledger: Ledger, partitionsOf: (topic: string) => number) {
    this.#ledger = ledger;
    this.#partitionsOf = partitionsOf;
  }

  get all(): Iterable<ConsumerGroup> {
    return this.#groups.values();
  }

  group(name: string): ConsumerGroup {
    const existing = this.#groups.get(name);
    if (existing) return existing;
    const created = new ConsumerGroup(name, this.#partitionsOf, partition => this.#read(name, partition));
    this.#groups.set(name, created);
    return created;
  }

  /** Makes what has been committed durable. @throws BusError `storage`; the next call tries it again */
  persist(): void {
    this.stage();
    this.#ledger.flush();
  }

  /** Hands what has been committed since the last time to the ledger, to be written with its next flush. */
  stage(): void {
    for (const group of this.#groups.values()) {
      for (const cell of group.cells) {
        if (!cell.dirty || cell.offset === undefined) continue;
        this.#ledger.set(ledgerName(group.name, cell), String(cell.offset));
        cell.dirty = false;
      }
    }
  }

  /** Sets back what was committed past the end of a partition that has lost messages, power failing. */
  setBack(endOf: (partition: TopicPartition) => number | undefined): void {
    for (const name of this.#ledger.names()) {
      const [prefix, , topic = '', partition] = name.split('/');
      const end =
        `${prefix ?? ''}/` === ledgerPrefix ? endOf({ topic, partition: Number(partition) }) : undefined;
      if (end !== undefined && Number(this.#ledger.get(name)) > end) this.#ledger.set(name, String(end));
    }
  }

  forget(topic: string): void {
    for (const group of this.#groups.values()) group.forget(topic);
    for (const name of this.#ledger.names()) {
      if (name.startsWith(ledgerPrefix) && name.split('/')[2] === topic) this.#ledger.delete(name);
    }
  }

  /** Forgets what a group has committed. @throws BusError `invalid-option` while it has members */
  deleteGroup(name: string): void {
    if ((this.#groups.get(name)?.size ?? 0) > 0) {
      throw new BusError('invalid-option', `group ${name} has members: end them first`);
    }
    this.#groups.delete(name);
    const prefix = `${ledgerPrefix}${encodeURIComponent(name)}/`;
    for (const entry of this.#ledger.names()) if (entry.startsWith(prefix)) this.#ledger.delete(entry);
    this.#ledger.flush();
  }

  clear(): void {
    this.#groups.clear();
  }

  /** Every group that has committed something in the topic, with its lag behind the ends. */
  lags(topic: string, ends: readonly number[]): GroupLag[] {
    this.stage();
    return this.#ledger.names().flatMap(name => {
      const [prefix, group, ofTopic, partition] = name.split('/');
      if (`${prefix ?? ''}/` !== ledgerPrefix || ofTopic !== topic) return [];
      const committed = Number(this.#ledger.get(name));
      const end = ends[Number(partition)] ?? committed;
      return [
        {
          group: decodeURIComponent(group ?? ''),
          partition: Number(partition),
          committed,
          lag: end - committed,
        },
      ];
    });
  }

  #read(group: string, partition: TopicPartition): number | undefined {
    const text = this.#ledger.get(ledgerName(group, partition));
    return text === undefined ? undefined : Number(text);
  }
}

function ledgerName(group: string, { topic, partition }: TopicPartition): string {
  return `${ledgerPrefix}${encodeURIComponent(group)}/${topic}/${partition}`;
}
