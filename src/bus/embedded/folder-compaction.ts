import type { LogRecord } from '../../log/frame.ts';
import { keyOfRecord } from '../../log/message-record.ts';
import type { SegmentLog } from '../../log/segment-log.ts';
import type { SegmentInfo } from '../../log/segment.ts';

const readRecords = 1024;
const readBytes = 1024 * 1024;

/**
 * Leaves the newest record of each key among those below the offset; files that lose nothing stay as they are.
 * Holds every key that there is in memory while it runs.
 *
 * @throws LogError with what was not rewritten as it was
 */
export function compactLog(log: SegmentLog, below: number): void {
  log.roll();
  const kept = new Set(newestByKey(log, below).values());
  for (const segment of losers(log.segments().slice(0, -1), kept)) {
    log.rewrite(segment.base, ({ offset }) => offset >= below || kept.has(offset));
  }
}

/** The segments that hold more records than are to be kept. */
function losers(sealed: readonly SegmentInfo[], kept: ReadonlySet<number>): SegmentInfo[] {
  const counts = new Array<number>(sealed.length).fill(0);
  let at = 0;
  for (const offset of [...kept].sort((a, b) => a - b)) {
    while (offset >= (sealed[at + 1]?.base ?? Infinity)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return sealed.filter(({ count }, i) => count > (counts[i] ?? 0));
}

function newestByKey(log: SegmentLog, below: number): Map<string | null, number> {
  const newest = new Map<string | null, number>();
  for (const record of recordsBelow(log, below)) newest.set(keyOfRecord(record), record.offset);
  return newest;
}

function* recordsBelow(log: SegmentLog, below: number): Generator<LogRecord> {
  let from = log.firstOffset;
  while (from < below) {
    const records = log.read(from, readRecords, readBytes);
    for (const record of records) if (record.offset < below) yield record;
    from = (records.at(-1)?.offset ?? below) + 1;
  }
}
