import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { BackoffOptions } from '../core/backoff.ts';
import { idleMeter, type Meter } from '../core/meter.ts';
import { wholeNumber } from '../core/option.ts';
import type { SpillEvent } from './spill-event.ts';
import type { SpillKeySource } from './spill-key.ts';

/** How a spilling publisher keeps what the broker does not take. */
export interface SpillOptions {
  /** The folder, made where it is absent; one process at a time has it. */
  readonly dir: string;
  /** Messages in memory at most: on their way to the broker or waiting for it; default 10 000. */
  readonly memoryMessages?: number;
  /** The same in bytes, as they would take on disk; an object in memory is some 500 bytes larger. Default 16 MiB. */
  readonly memoryBytes?: number;
  /**
   * How long a message may wait in memory, ms: past that everything that waits is written to the folder, at the latest
   * after twice this time. Default 500.
   */
  readonly spillAfterMs?: number;
  /** What the folder may take on disk, bytes, messages that were refused for good included; default 1 GiB. */
  readonly maxBytes?: number;
  /** Nothing more is accepted once the oldest spilled message is older, ms; default: no bound. */
  readonly maxAgeMs?: number;
  /**
   * `batch` (default): every write is forced to the disk before its messages are accepted, and outlives a loss of
   * power. `never`: it outlives the process.
   */
  readonly fsync?: 'never' | 'batch';
  /** Seals what is written with AES-256-GCM; the key is 32 bytes as hex or base64. Default: not sealed. */
  readonly encryptionKey?: SpillKeySource;
  /** Messages on their way to the broker at once, each of another key; default 256. */
  readonly maxInFlight?: number;
  /** The wait before the broker is asked again. */
  readonly backoff?: BackoffOptions;
  /**
   * Gauges `stream_spilled_messages`, `stream_spilled_bytes` and `stream_spill_oldest_age_ms`, `stream_buffered` for
   * what is in memory, and counters `stream_spilled_total` and `stream_spill_refused_total`.
   */
  readonly meter?: Meter;
  /** Told of what happens, see {@link SpillEvent}; must not throw. */
  readonly report?: (event: SpillEvent) => void;
  /** Clock and timers; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The options with their defaults; `maxAgeMs` Infinity where there is no bound. */
export interface SpillSettings extends Required<Omit<SpillOptions, 'encryptionKey'>> {
  readonly encryptionKey: SpillKeySource | undefined;
  readonly segmentBytes: number;
}

const mebibyte = 1024 ** 2;
const largestSegment = 16 * mebibyte;
/** Files are dropped whole: with several of them, what is done with soon makes room. */
const segmentsAtLeast = 8;

/** @throws OptionError for what is out of its range */
export function settingsOf(options: SpillOptions): SpillSettings {
  const { memoryMessages = 10_000, memoryBytes = 16 * mebibyte, maxBytes = 1024 * mebibyte } = options;
  const { spillAfterMs = 500, maxInFlight = 256, maxAgeMs } = options;
  const most = wholeNumber('spill.maxBytes', maxBytes, 4096);
  return {
    dir: options.dir,
    memoryMessages: wholeNumber('spill.memoryMessages', memoryMessages, 1),
    memoryBytes: wholeNumber('spill.memoryBytes', memoryBytes, 1),
    spillAfterMs: wholeNumber('spill.spillAfterMs', spillAfterMs, 1),
    maxBytes: most,
    maxAgeMs: maxAgeMs === undefined ? Infinity : wholeNumber('spill.maxAgeMs', maxAgeMs, 1),
    fsync: options.fsync ?? 'batch',
    encryptionKey: options.encryptionKey,
    maxInFlight: wholeNumber('spill.maxInFlight', maxInFlight, 1),
    backoff: options.backoff ?? {},
    meter: options.meter ?? idleMeter,
    report: options.report ?? (() => undefined),
    scheduler: options.scheduler ?? asyncScheduler,
    segmentBytes: Math.min(largestSegment, Math.ceil(most / segmentsAtLeast)),
  };
}
