import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LogRecord } from '../../src/log/frame.ts';
import { openSegmentLog, type SegmentLog, type SegmentLogOptions } from '../../src/log/segment-log.ts';

/** A folder of its own that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'segment-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log that is closed with the test. */
export function openedLog(folder: string, options: SegmentLogOptions = {}): SegmentLog {
  const log = openSegmentLog(folder, options);
  onTestFinished(() => log.close());
  return log;
}

/** A record whose body tells its offset. */
export function record(offset: number, time: number = offset * 1000, filler = ''): LogRecord {
  return { offset, time, body: Buffer.from(`record ${offset} ${filler}`) };
}

export function recordsFrom(first: number, count: number, filler = ''): LogRecord[] {
  return Array.from({ length: count }, (_, at) => record(first + at, undefined, filler));
}

/** What a test compares: bodies as text, whatever kind of array holds them. */
export function plain(records: readonly LogRecord[]): { offset: number; time: number; text: string }[] {
  return records.map(({ offset, time, body }) => ({
    offset,
    time,
    text: Buffer.from(body).toString('latin1'),
  }));
}

export function everything(log: SegmentLog): LogRecord[] {
  return log.read(log.firstOffset, Infinity);
}
