import { BusError } from '../../core/publisher.ts';
import type { TopicSettings, TopicSpec } from '../../core/topic.ts';
import { requireLegalTopic } from '../legal-topic.ts';
import { noSuchPartition } from '../no-such-partition.ts';
import { PartitionLog, type PartitionLogOptions } from './partition-log.ts';
import type { Storage } from './storage.ts';

/** A topic with its partitions open. */
export interface OpenTopic {
  readonly name: string;
  readonly settings: TopicSettings;
  readonly logs: readonly PartitionLog[];
  /** The partition of the next message without a key. */
  turn: number;
}

const ledgerPrefix = 'topic/';

/** The topics there are; what they are like is kept in the ledger. */
export class TopicCatalog {
  readonly #storage: Storage;
  readonly #options: PartitionLogOptions;
  readonly #topics = new Map<string, OpenTopic>();

  constructor(storage: Storage, options: PartitionLogOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  get names(): readonly string[] {
    return [...this.#topics.keys()].sort();
  }

  get all(): Iterable<OpenTopic> {
    return this.#topics.values();
  }

  /** Opens every topic that the ledger knows. */
  open(): void {
    const { ledger } = this.#storage;
    for (const entry of ledger.names()) {
      if (!entry.startsWith(ledgerPrefix)) continue;
      const settings = JSON.parse(ledger.get(entry) ?? '{}') as TopicSettings;
      this.#add({ name: entry.slice(ledgerPrefix.length), settings });
    }
  }

  close(): void {
    for (const { logs } of this.#topics.values()) for (const log of logs) log.store.close();
    this.#topics.clear();
  }

  create(spec: TopicSpec): void {
    if (this.#topics.has(spec.name)) {
      throw new BusError('topic-exists', `topic ${spec.name} exists already: use it, or delete it first`);
    }
    // A name becomes a folder, so nothing but a legal one may come near the storage.
    requireLegalTopic(spec);
    const { ledger } = this.#storage;
    try {
      ledger.set(ledgerPrefix + spec.name, JSON.stringify(spec.settings));
      ledger.flush();
      this.#add(spec);
    } catch (cause) {
      ledger.delete(ledgerPrefix + spec.name);
      throw cause;
    }
  }

  delete(name: string): void {
    const topic = this.get(name);
    const gone = new BusError(
      'topic-not-found',
      `topic ${name} was deleted while messages to it waited: create it again, and publish them again`,
    );
    for (const log of topic.logs) {
      log.refuseAll(gone);
      log.store.close();
    }
    this.#topics.delete(name);
    // The messages first: a topic that is created again must not begin with those of its predecessor.
    this.#storage.deleteTopic(name);
    this.#storage.ledger.delete(ledgerPrefix + name);
    this.#storage.ledger.flush();
  }

  has(name: string): boolean {
    return this.#topics.has(name);
  }

  get(name: string): OpenTopic {
    const topic = this.#topics.get(name);
    if (topic) return topic;
    const known = this.names.slice(0, 8).join(', ') || 'none';
    throw new BusError('topic-not-found', `no topic ${name}: create it first (there are: ${known})`);
  }

  #add({ name, settings }: TopicSpec): void {
    const logs = Array.from({ length: settings.partitions }, (_, partition) => {
      const store = this.#storage.partition(name, partition, settings);
      const maxBytes = Math.min(settings.retentionBytes ?? Number.POSITIVE_INFINITY, this.#options.maxBytes);
      const { compaction } = settings;
      return new PartitionLog(name, partition, store, { ...this.#options, maxBytes, compaction });
    });
    this.#topics.set(name, { name, settings, logs, turn: 0 });
  }
}

/** A partition of a topic. @throws BusError `invalid-message` where there is none of that number */
export function logOf({ name, logs }: OpenTopic, partition: number): PartitionLog {
  const log = logs[partition];
  if (log) return log;
  throw noSuchPartition(name, partition, logs.length);
}
