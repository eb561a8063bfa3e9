import { asyncScheduler } from 'rxjs';
import type { EventBus } from '../event-bus.ts';
import { EmbeddedBus, type EmbeddedBusOptions } from './embedded-bus.ts';
import { FolderStorage, type FsyncPolicy } from './folder-storage.ts';

/** Options of the kind `embedded`: `maxPartitionBytes` defaults to 1 GiB. */
export interface EmbeddedOptions extends EmbeddedBusOptions {
  /** The folder, made where it is absent; one process at a time has it open for writing. */
  readonly dir: string;
  /**
   * When data is forced to the disk; default `interval`. Whatever it is, what was acknowledged outlives the
   * process: after `kill -9` every acknowledged message is there, and of the committed offsets all but those of
   * the last second. A loss of power is another matter:
   *
   * - `never`: lost is what the system had not yet written by itself, commonly up to half a minute.
   * - `interval`: lost is at most what was stored in the last `fsyncIntervalMs`.
   * - `batch`: nothing acknowledged is lost; each batch waits for the disk.
   *
   * In no case is a message stored in part, and a committed offset that lost its messages is set back to the end.
   */
  readonly fsync?: FsyncPolicy;
  /** How often data is forced to the disk with `fsync: interval`, ms; default 1000. */
  readonly fsyncIntervalMs?: number;
  /** Bytes at which a partition begins a new file; default 64 MiB, at most an eighth of what it may hold. */
  readonly segmentBytes?: number;
  /** Memory for the newest messages, bytes over all partitions: who keeps up never reads the disk. Default 64 MiB. */
  readonly cacheBytes?: number;
  /**
   * Changes nothing in the folder and needs no lock, for a look beside a stopped worker: publishing and changing
   * topics are refused, commits are forgotten. Default false.
   */
  readonly readOnly?: boolean;
}

const mebibyte = 1024 ** 2;

/**
 * The embedded bus in a folder: messages and committed offsets outlive the process.
 *
 * @example
 * const bus = embeddedBus({ dir: 'data/bus', fsync: 'batch' });
 * await bus.start(); // BusError `storage` where another process has the folder open
 */
export function embeddedBus(options: EmbeddedOptions): EventBus {
  const { maxPartitionBytes = 1024 * mebibyte, scheduler = asyncScheduler } = options;
  const storage = new FolderStorage({
    dir: options.dir,
    fsync: options.fsync ?? 'interval',
    fsyncIntervalMs: options.fsyncIntervalMs ?? 1000,
    segmentBytes: options.segmentBytes ?? 64 * mebibyte,
    cacheBytes: options.cacheBytes ?? 64 * mebibyte,
    readOnly: options.readOnly ?? false,
    maxPartitionBytes,
    scheduler,
  });
  return new EmbeddedBus('embedded', storage, { ...options, maxPartitionBytes });
}
