import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type SchedulerLike, Subscription, interval } from 'rxjs';
import type { TopicSettings } from '../../core/topic.ts';
import { type FolderLock, lockFolder } from '../../log/folder-lock.ts';
import { syncFolder } from '../../log/log-folder.ts';
import { RecordEncoder } from '../../log/message-record.ts';
import { type SegmentLogOptions, openSegmentLog } from '../../log/segment-log.ts';
import { asStorageError, onDisk } from './folder-errors.ts';
import { FolderLedger } from './folder-ledger.ts';
import { FolderPartition } from './folder-partition.ts';
import { TailCache } from './folder-tail-cache.ts';
import { partitionName } from '../partition-name.ts';
import type { PartitionStore, Storage } from './storage.ts';

/** When what was stored is forced to the disk, see `EmbeddedOptions.fsync`. */
export type FsyncPolicy = 'never' | 'interval' | 'batch';

export interface FolderStorageOptions {
  readonly dir: string;
  readonly fsync: FsyncPolicy;
  readonly fsyncIntervalMs: number;
  /** A partition begins a new file past this many bytes, or an eighth of what it may hold. */
  readonly segmentBytes: number;
  /** What a partition may hold. */
  readonly maxPartitionBytes: number;
  /** Bytes of the newest messages, over all partitions, that are kept in memory too. */
  readonly cacheBytes: number;
  readonly readOnly: boolean;
  readonly scheduler: SchedulerLike;
}

const maxCachedMessages = 250_000;
const minSegmentBytes = 1024;
/** Partition files are dropped whole, so that there must be several of them. */
const segmentsAtLeast = 8;
/** What headers may add to the largest payload. */
const headerRoom = 16 * 1024 * 1024;

/** Everything in a folder: `topics/<topic>/<partition>/` and `ledger/`, each a log of segment files. */
export class FolderStorage implements Storage {
  readonly durable = true;
  readonly readOnly: boolean;
  readonly ledger: FolderLedger = new FolderLedger();
  readonly #options: FolderStorageOptions;
  readonly #encoder = new RecordEncoder();
  readonly #cache: TailCache;
  readonly #partitions = new Set<FolderPartition>();
  #lock: FolderLock | undefined;
  #timer = new Subscription();
  #syncFailed: string | undefined;

  constructor(options: FolderStorageOptions) {
    this.#options = options;
    this.readOnly = options.readOnly;
    this.#cache = new TailCache(options.cacheBytes, maxCachedMessages);
  }

  /** What is wrong with what is stored, in words. */
  get problems(): readonly string[] {
    const damaged = [...this.#partitions].flatMap(({ log }) => log.corruptions.map(({ path }) => path));
    const texts = [...new Set([...damaged, ...this.ledger.corruptions])].map(
      path => `${path} holds damaged records, which are passed over: copies lie beside it`,
    );
    return this.#syncFailed === undefined ? texts : [...texts, this.#syncFailed];
  }

  open(): void {
    const { dir, fsync, fsyncIntervalMs, scheduler } = this.#options;
    if (!this.readOnly) this.#lock = onDisk(dir, () => lockFolder(dir, { use: 'embedded bus' }));
    try {
      this.ledger.open(join(dir, 'ledger'), this.#logOptions());
      if (fsync !== 'interval' || this.readOnly) return;
      this.#timer = interval(fsyncIntervalMs, scheduler).subscribe(() => this.#syncByTimer());
    } catch (cause) {
      this.#lock?.release();
      throw cause;
    }
  }

  close(): void {
    this.#timer.unsubscribe();
    try {
      this.ledger.flush();
      if (this.#options.fsync === 'interval') this.ledger.sync();
    } finally {
      for (const partition of [...this.#partitions]) partition.close();
      this.ledger.close();
      onDisk(this.#options.dir, () => this.#lock?.release());
      this.#lock = undefined;
    }
  }

  partition(topic: string, partition: number, settings: TopicSettings): PartitionStore {
    const folder = join(this.#options.dir, 'topics', topic, String(partition));
    const log = onDisk(partitionName(topic, partition), () =>
      openSegmentLog(folder, {
        ...this.#logOptions(),
        segmentBytes: this.#segmentBytes(settings),
        maxRecordBytes: settings.maxMessageBytes + headerRoom,
      }),
    );
    const store = new FolderPartition({
      topic,
      partition,
      log,
      tail: this.#cache.tail(),
      encoder: this.#encoder,
      closing: closed => this.#closing(closed),
    });
    this.#partitions.add(store);
    this.#syncFolders(topic);
    return store;
  }

  deleteTopic(topic: string): void {
    const folder = join(this.#options.dir, 'topics', topic);
    onDisk(`topic ${topic}`, () => rmSync(folder, { recursive: true, force: true }));
  }

  #logOptions(): SegmentLogOptions {
    return { readOnly: this.readOnly, fsync: this.#options.fsync === 'batch' ? 'batch' : 'never' };
  }

  #segmentBytes({ retentionBytes = Infinity }: TopicSettings): number {
    const { segmentBytes, maxPartitionBytes } = this.#options;
    const share = Math.floor(Math.min(retentionBytes, maxPartitionBytes) / segmentsAtLeast);
    return Math.max(minSegmentBytes, Math.min(segmentBytes, share));
  }

  #closing(partition: FolderPartition): void {
    this.#partitions.delete(partition);
    if (this.#options.fsync === 'interval' && !this.readOnly) {
      onDisk(partition.name, () => partition.log.sync());
    }
  }

  /** The names of new folders, which the logs inside them know nothing of. */
  #syncFolders(topic: string): void {
    const { dir, fsync } = this.#options;
    if (fsync === 'never' || this.readOnly) return;
    const topics = join(dir, 'topics');
    onDisk(`topic ${topic}`, () => [join(topics, topic), topics, dir].forEach(syncFolder));
  }

  /** The messages first: a committed offset must not outlive what it points behind. */
  #syncByTimer(): void {
    try {
      for (const { log } of this.#partitions) log.sync();
      this.ledger.sync();
      this.#syncFailed = undefined;
    } catch (cause) {
      this.#syncFailed = asStorageError('forcing to the disk failed', cause).message;
    }
  }
}
