import { dirname, join, resolve } from 'node:path';
import type { MessageId } from '../core/message.ts';
import { BusError } from '../core/publisher.ts';
import { reasonOf } from '../core/failure.ts';
import { lockFolder } from '../log/folder-lock.ts';
import { frameOverhead, type LogRecord } from '../log/frame.ts';
import { LogError } from '../log/log-error.ts';
import { syncFolder } from '../log/log-folder.ts';
import { openSegmentLog, type SegmentLog } from '../log/segment-log.ts';
import { BlockCodec, keyIdOf } from './block-codec.ts';
import { DrainPosition } from './drain-position.ts';
import { RefusedLog, type RefusedMessage } from './refused-log.ts';
import { onFolder } from './spill-errors.ts';
import { SpillEntry } from './spill-entry.ts';
import type { SpillEvent } from './spill-event.ts';

export interface SpillFolderOptions {
  readonly dir: string;
  readonly codec: BlockCodec;
  readonly fsync: 'never' | 'batch';
  readonly segmentBytes: number;
  readonly report: (event: SpillEvent) => void;
}

/** Read at a time; messages keep views of what was read. */
const readRecords = 512;
const readBytes = 256 * 1024;

/**
 * What is spilled, on disk: `owner.lock`, `position`, and the segment logs `messages` and `refused`. Offsets number the
 * messages in the order in which they were accepted.
 */
export class SpillFolder {
  readonly #options: SpillFolderOptions;
  readonly #log: SegmentLog;
  readonly #refused: RefusedLog;
  readonly #position: DrainPosition;
  /** What lets go of what is open, the last one first. */
  readonly #release: (() => void)[] = [];
  /** Set aside before the last crash, and not yet behind the position: sent now, they would come out of order. */
  #done: ReadonlyMap<number, MessageId> = new Map();
  #bytes = 0;
  #reported = 0;

  /** @throws BusError `storage` where the folder cannot be used, `invalid-option` where it needs another key */
  constructor(options: SpillFolderOptions) {
    const { dir, codec, fsync, segmentBytes } = options;
    this.#options = options;
    const lock = onFolder(dir, () => lockFolder(dir, { use: 'spill' }));
    this.#release.push(() => lock.release());
    try {
      this.#log = this.#open(() => openSegmentLog(join(dir, 'messages'), { fsync, segmentBytes }));
      this.#refused = this.#open(() => new RefusedLog(join(dir, 'refused'), codec, { fsync, segmentBytes }));
      this.#position = this.#open(() => new DrainPosition(join(dir, 'position'), fsync === 'batch'));
      if (fsync === 'batch') onFolder(dir, () => syncNames(dir));
      onFolder(dir, () => this.#takeUp());
    } catch (cause) {
      this.close();
      throw cause;
    }
  }

  /** The offset that the next message gets. */
  get nextOffset(): number {
    return this.#log.nextOffset;
  }

  /** Everything before it is done with, as the disk knows. */
  get position(): number {
    return this.#position.offset;
  }

  /** Messages on disk, the part of the oldest file that is done with included. */
  get bytes(): number {
    return this.#bytes;
  }

  get refusedBytes(): number {
    return this.#refused.bytes;
  }

  /** Writes all entries or none, and gives them their offsets. @throws BusError */
  append(entries: readonly SpillEntry[]): void {
    const from = this.#log.nextOffset;
    const records = this.#options.codec.encode(entries, from);
    onFolder(this.#options.dir, () => this.#log.append(records));
    entries.forEach((entry, at) => (entry.offset = from + at));
    for (const { body } of records) this.#bytes += frameOverhead + body.length;
  }

  /**
   * Entries from an offset on; what cannot be read is set aside and left out.
   *
   * @returns those entries, and from where to read next
   * @throws BusError where the disk fails, or has no room for what is set aside
   */
  read(from: number): { readonly entries: SpillEntry[]; readonly next: number } {
    const { dir, codec } = this.#options;
    return onFolder(dir, () => {
      const records = this.#log.read(from, Math.ceil(readRecords / codec.blockMessages), readBytes);
      const entries = records.flatMap(record => this.#entriesOf(record, from));
      this.#reportDamage();
      return { entries, next: (records.at(-1)?.offset ?? this.#log.nextOffset - 1) + 1 };
    });
  }

  /** Everything before the offset is done with; whole files before it go. @throws BusError */
  commit(offset: number): void {
    onFolder(this.#options.dir, () => {
      this.#position.store(offset);
      if (this.#log.dropBefore(offset) > 0) this.#bytes = this.#measure();
    });
  }

  /** @throws BusError where it cannot be recorded: the message must then stay where it is */
  setAside(entry: SpillEntry, cause: BusError): void {
    const { dir, report } = this.#options;
    onFolder(dir, () => this.#refused.add(entry, `${cause.code}: ${cause.message}`));
    const { topic, key, id } = entry.message;
    report({ tag: 'refused', topic, key, id, cause, folder: this.#refused.folder });
  }

  refusedMessages(): IterableIterator<RefusedMessage> {
    return this.#refused.messages();
  }

  close(): void {
    for (let release = this.#release.pop(); release !== undefined; release = this.#release.pop()) release();
  }

  #open<A extends { close(): void }>(open: () => A): A {
    const opened = onFolder(this.#options.dir, open);
    this.#release.push(() => opened.close());
    return opened;
  }

  /** Brings position and log together, and makes sure that what waits can be read. */
  #takeUp(): void {
    const { codec, dir, report } = this.#options;
    if (this.#position.isDamaged)
      report({
        tag: 'unreadable',
        path: join(dir, 'position'),
        reason: 'the position is lost: messages of the oldest file may be sent again',
      });
    // A loss of power may take the end of the log and leave the position, which must not point behind what comes next.
    const lowest = this.#log.firstOffset - BlockCodec.mostMessages + 1;
    this.#position.store(Math.min(Math.max(this.#position.offset, lowest), this.#log.nextOffset));
    this.#log.dropBefore(this.#position.offset);
    this.#bytes = this.#measure();
    this.#reportDamage();
    if (this.position < this.nextOffset) this.#done = this.#refused.idsFrom(this.position);
    if (this.#keyIds().at(-1) !== codec.keyId) this.#log.roll();
  }

  /**
   * The key ids of the files that hold waiting messages: each file has one.
   *
   * @throws BusError where one is not that of the key given
   */
  #keyIds(): readonly (string | undefined)[] {
    const { codec, dir } = this.#options;
    return this.#log
      .segments()
      .filter(({ count }) => count > 0)
      .map(({ base }) => {
        const [record] = this.#log.read(Math.max(base, this.#position.offset), 1);
        const needed = record === undefined ? undefined : keyIdOf(record);
        if (needed === undefined || needed === codec.keyId) return needed;
        throw otherKey(dir, needed, codec.keyId);
      });
  }

  #entriesOf(record: LogRecord, from: number): SpillEntry[] {
    try {
      const messages = this.#options.codec.decode(record);
      const first = record.offset - messages.length + 1;
      return messages
        .map((message, at) => new SpillEntry(message, record.time, first + at, undefined))
        .filter(({ offset, message }) => offset >= from && this.#done.get(offset) !== message.id);
    } catch (cause) {
      const reason = reasonOf(cause);
      this.#refused.addRecord(record, reason);
      this.#options.report({ tag: 'unreadable', path: this.#refused.folder, reason });
      return [];
    }
  }

  #reportDamage(): void {
    for (; this.#reported < this.#log.corruptions.length; this.#reported++) {
      const damage = this.#log.corruptions[this.#reported];
      if (damage === undefined) continue;
      const { path, position, bytes } = damage;
      const reason = `${bytes} bytes from ${position} on hold no readable message`;
      this.#options.report({ tag: 'unreadable', path, reason });
    }
  }

  #measure(): number {
    return this.#log.segments().reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Forces the names of new folders and files to the disk, of which the logs inside them know nothing. */
function syncNames(dir: string): void {
  syncFolder(dir);
  try {
    syncFolder(dirname(resolve(dir)));
  } catch (cause) {
    // Whoever may not look into the folder above did not make this one there.
    if (!(cause instanceof LogError) || cause.code !== 'permission') throw cause;
  }
}

function otherKey(dir: string, needed: string, given: string | undefined): BusError {
  const have = given === undefined ? 'no key is given' : `the key given has the id ${given}`;
  return new BusError(
    'invalid-option',
    `spill in ${dir}: messages wait there that are sealed with the key of id ${needed}, and ${have}: ` +
      'start with that key until the folder is drained, or move the folder away',
  );
}
