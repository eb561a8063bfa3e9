import { rmSync } from 'node:fs';
import { CursorPool } from './cursor-pool.ts';
import { FrameBatch, measureBatch, noteBatch } from './frame-batch.ts';
import type { LogRecord } from './frame.ts';
import { indexPath, writeIndexFile } from './index-file.ts';
import { guarded, LogError } from './log-error.ts';
import { syncFolder } from './log-folder.ts';
import { recoverLog } from './recovery.ts';
import { SegmentCursor } from './segment-cursor.ts';
import { rewriteSegment } from './segment-rewrite.ts';
import { emptySegment, segmentInfo, type Damage, type Segment, type SegmentInfo } from './segment.ts';
import { SegmentWriter, syncSealed, type FsyncPolicy } from './segment-writer.ts';
import { setAsideIfPossible, type Corruption } from './set-aside.ts';

/** How a log is kept. */
export interface SegmentLogOptions {
  /** A new file is begun rather than let one grow past this many bytes; default 16 MiB. */
  readonly segmentBytes?: number;
  /** Bytes between two entries of the index; default 16 KiB. */
  readonly indexEveryBytes?: number;
  /** Changes nothing in the folder; default false. */
  readonly readOnly?: boolean;
  /** The longest body that `append` takes, in bytes; default 64 MiB. */
  readonly maxRecordBytes?: number;
  /** Default `never`: what was appended survives the process, and a loss of power once `sync` returned. */
  readonly fsync?: FsyncPolicy;
}

const defaults: Required<SegmentLogOptions> = {
  segmentBytes: 16 * 1024 * 1024,
  indexEveryBytes: 16 * 1024,
  readOnly: false,
  maxRecordBytes: 64 * 1024 * 1024,
  fsync: 'never',
};

/**
 * Opens the log in a folder, and makes the folder where it is absent. One process at a time may have it open for
 * writing: see `lockFolder`.
 *
 * @throws LogError where the folder or a file cannot be used; damage inside the files is listed in `corruptions`
 */
export function openSegmentLog(folder: string, options: SegmentLogOptions = {}): SegmentLog {
  return new SegmentLog(folder, { ...defaults, ...options });
}

/** Records in order of offset, in files that are only ever appended to. All methods are synchronous. */
export class SegmentLog {
  readonly folder: string;
  /** What opening cut off the end (`readOnly`: left out): an unfinished record; undefined where the end was whole. */
  readonly tornTail: Corruption | undefined;
  readonly #options: Required<SegmentLogOptions>;
  readonly #segments: Segment[];
  readonly #corruptions: Corruption[];
  readonly #cursors: CursorPool;
  readonly #batch: FrameBatch = new FrameBatch();
  #writer: SegmentWriter | undefined;
  #folderDirty = false;
  #closed = false;

  constructor(folder: string, options: Required<SegmentLogOptions>) {
    const { segments, corruptions, tornTail } = recoverLog(folder, options.indexEveryBytes, options.readOnly);
    this.folder = folder;
    this.tornTail = tornTail;
    this.#options = options;
    this.#segments = segments;
    this.#corruptions = corruptions;
    this.#cursors = new CursorPool(segments, this.#damaged);
    const last = segments.at(-1);
    if (last !== undefined && !options.readOnly) this.#writer = new SegmentWriter(last, options.fsync, false);
  }

  /** The offset of the first record; that of the next one where there is none. */
  get firstOffset(): number {
    return this.#segments.find(segment => segment.count > 0)?.firstOffset ?? this.nextOffset;
  }

  /** The lowest offset that the next record may have. */
  get nextOffset(): number {
    return (this.#segments.at(-1)?.lastOffset ?? -1) + 1;
  }

  /** Stretches that hold no readable record; reading goes on behind them. A copy of each lies beside its segment. */
  get corruptions(): readonly Corruption[] {
    return this.#corruptions;
  }

  /** The files, ascending; the last one is being written to. */
  segments(): SegmentInfo[] {
    return this.#segments.map(segmentInfo);
  }

  /**
   * Appends all records or none.
   *
   * @throws LogError where they cannot be stored: the log then stands as before
   * @throws RangeError where an offset does not ascend, a time is not a number or a body is too long
   */
  append(records: readonly LogRecord[]): void {
    const [first] = records;
    this.#mayWrite();
    if (first === undefined) return;
    const bytes = measureBatch(records, this.nextOffset, this.#options.maxRecordBytes);
    const writer = this.#writerFor(bytes, first.offset);
    writer.write(this.#batch.encode(records, bytes, writer.segment));
    noteBatch(writer.segment, records, this.#options.indexEveryBytes);
  }

  /** Forces everything appended so far to the disk. */
  sync(): void {
    this.#mayWrite();
    for (const segment of this.#segments)
      if (segment.dirty && segment !== this.#writer?.segment) syncSealed(segment);
    this.#writer?.sync();
    if (this.#folderDirty) syncFolder(this.folder);
    this.#folderDirty = false;
  }

  /**
   * The records from an offset on, or from the first one where that is gone. Going on where an earlier read ended is
   * fast. Bodies are views: a kept body keeps up to 256 KiB around it in memory.
   *
   * @param maxBytes of bodies; one record is returned even where it is longer
   */
  read(fromOffset: number, maxRecords: number, maxBytes: number = Infinity): LogRecord[] {
    this.#mustBeOpen();
    const records: LogRecord[] = [];
    let bytes = 0;
    let cursor = this.#cursors.at(Math.max(fromOffset, this.firstOffset));
    while (cursor !== undefined && records.length < maxRecords) {
      const record = cursor.take();
      if (record === undefined) {
        cursor = this.#cursors.advance(cursor);
        continue;
      }
      bytes += record.body.length;
      if (bytes > maxBytes && records.length > 0) {
        cursor.untake();
        break;
      }
      records.push(record);
    }
    return records;
  }

  /** The offset of the first record whose time is `time` (ms) or later; undefined where there is none. */
  offsetAtTime(time: number): number | undefined {
    this.#mustBeOpen();
    for (const segment of this.#segments) {
      const found = segment.latest >= time ? this.#findTime(segment, time) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Lets the next record of a log without records have a higher offset; this outlasts closing the log. */
  setNextOffset(offset: number): void {
    this.#mayWrite();
    if (
      !Number.isSafeInteger(offset) ||
      offset < this.nextOffset ||
      this.#segments.some(({ count }) => count > 0)
    )
      throw new RangeError(
        `The next offset cannot become ${offset}: the log must be empty and the offset an integer from ${this.nextOffset} on.`,
      );
    if (offset === this.nextOffset && this.#writer !== undefined) return;
    this.#begin(offset);
    this.#remove(this.#segments.slice(0, -1));
  }

  /** Seals the last file and begins a new one, so that all that was appended can be rewritten or dropped. */
  roll(): void {
    this.#mayWrite();
    if ((this.#writer?.segment.count ?? 0) > 0) this.#begin(this.nextOffset);
  }

  /**
   * Deletes every file whose records all lie below the offset; where that is all of them, an empty log remains that
   * remembers its next offset.
   *
   * @returns how many records are gone
   */
  dropBefore(offset: number): number {
    this.#mayWrite();
    const active = this.#writer?.segment;
    if (active !== undefined && offset > active.lastOffset) this.roll();
    const gone = this.#segments.slice(0, -1).filter(segment => segment.lastOffset < offset);
    this.#remove(gone);
    return gone.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Writes a sealed segment anew with only some of its records; a file that would hold none is deleted.
   *
   * @param base of any segment but the last
   * @returns how many records are gone
   * @throws LogError with the segment as it was; what `keep` throws likewise
   */
  rewrite(base: number, keep: (record: LogRecord) => boolean): number {
    this.#mayWrite();
    const at = this.#segments.findIndex(segment => segment.base === base);
    const segment = this.#segments[at];
    if (segment === undefined || at === this.#segments.length - 1)
      throw new RangeError(`No sealed segment of ${this.folder} begins at ${base}: see segments().`);
    const rewritten = this.#withCursor(segment, cursor =>
      rewriteSegment(cursor, keep, this.#options.indexEveryBytes),
    );
    if (rewritten === segment) return 0;
    this.#cursors.forget(segment);
    this.#segments.splice(at, 1, ...(rewritten.count === 0 ? [] : [rewritten]));
    return segment.count - rewritten.count;
  }

  /** Lets go of the files; the log cannot be used after that. Does not force anything to the disk. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cursors.close();
    this.#writer?.close();
  }

  readonly #damaged = (segment: Segment, damage: Damage): void => {
    const corruption = { path: segment.path, ...damage };
    segment.damage.push(damage);
    this.#corruptions.push(corruption);
    if (this.#options.readOnly) return;
    rmSync(indexPath(segment.path), { force: true });
    setAsideIfPossible(corruption);
  };

  #writerFor(bytes: number, offset: number): SegmentWriter {
    const held = this.#writer?.segment.bytes ?? 0;
    const fits = held === 0 || held + bytes <= this.#options.segmentBytes;
    return this.#writer !== undefined && fits ? this.#writer : this.#begin(offset);
  }

  /** Begins a new segment and seals the one before. */
  #begin(base: number): SegmentWriter {
    const segment = emptySegment(this.folder, base);
    const writer = new SegmentWriter(segment, this.#options.fsync, true);
    this.#writer?.close();
    const before = this.#writer?.segment;
    if (before !== undefined && before.count > 0 && before.damage.length === 0) writeIndexFile(before);
    this.#segments.push(segment);
    this.#writer = writer;
    this.#folderDirty = true;
    if (this.#options.fsync === 'batch') this.sync();
    return writer;
  }

  #remove(segments: readonly Segment[]): void {
    for (const segment of segments) {
      this.#cursors.forget(segment);
      guarded('cannot delete the segment', segment.path, () => {
        rmSync(indexPath(segment.path), { force: true });
        rmSync(segment.path, { force: true });
      });
      this.#segments.splice(this.#segments.indexOf(segment), 1);
    }
  }

  #findTime(segment: Segment, time: number): number | undefined {
    return this.#withCursor(segment, cursor => {
      cursor.seek(segment.index.seekTime(time));
      let record = cursor.take();
      while (record !== undefined && record.time < time) record = cursor.take();
      return record?.offset;
    });
  }

  #withCursor<T>(segment: Segment, use: (cursor: SegmentCursor) => T): T {
    const cursor = new SegmentCursor(segment, segment.base, this.#damaged);
    try {
      return use(cursor);
    } finally {
      cursor.close();
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error(`The log in ${this.folder} is closed: open it again to use it.`);
  }

  #mayWrite(): void {
    this.#mustBeOpen();
    if (this.#options.readOnly)
      throw new LogError(
        'permission',
        this.folder,
        'the log was opened for reading',
        'Open it without readOnly.',
      );
  }
}
