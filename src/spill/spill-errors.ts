import { formatDuration, formatSize } from '../core/durations.ts';
import { BusError } from '../core/publisher.ts';
import { LogError } from '../log/log-error.ts';
import type { SpillEntry } from './spill-entry.ts';

/** Runs work on the folder; what it throws becomes a BusError that says where, what and what to do. */
export function onFolder<A>(folder: string, work: () => A): A {
  try {
    return work();
  } catch (cause) {
    throw asSpillError(folder, cause);
  }
}

/** A full disk is a full buffer; whatever else the disk does is `storage`. Both may pass. */
function asSpillError(folder: string, cause: unknown): BusError {
  if (cause instanceof BusError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof LogError && cause.code === 'disk-full' ? 'buffer-full' : 'storage';
  return new BusError(code, `spill in ${folder}: ${text}`, { cause });
}

export function closed(dir: string): BusError {
  return new BusError('bus-not-started', `spill in ${dir}: the publisher is closed: create it again`);
}

export function tooLarge({ message, bytes }: SpillEntry, most: number): BusError {
  return new BusError(
    'message-too-large',
    `${message.topic}: up to ${bytes} bytes with key and headers, a spilled message may have ${most}: make it smaller`,
  );
}

export function tooMuch(dir: string, used: number, refused: number, maxBytes: number): BusError {
  const ofThem = refused === 0 ? '' : `, ${refused} of them in refused/, which may be moved away`;
  return new BusError(
    'buffer-full',
    `spill in ${dir}: ${used} bytes are used${ofThem}, and maxBytes is ${formatSize(maxBytes)}: ` +
      'bring the broker back or raise the limit; nothing that was accepted is lost',
  );
}

export function tooOld(dir: string, ageMs: number, maxAgeMs: number): BusError {
  return new BusError(
    'buffer-full',
    `spill in ${dir}: the oldest message waits for ${ageMs} ms, and maxAgeMs is ${formatDuration(maxAgeMs)}: ` +
      'bring the broker back or raise the limit; nothing that was accepted is lost',
  );
}
