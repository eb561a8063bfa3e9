import { closeSync, openSync } from 'node:fs';
import { FileWindow } from './file-window.ts';
import { FrameScanner } from './frame-scanner.ts';
import type { LogRecord } from './frame.ts';
import { guarded } from './log-error.ts';
import type { Damage, Segment } from './segment.ts';

/** Bytes read at a time: large enough that the system call does not count, small enough to have several. */
const readChunkBytes = 256 * 1024;

/** Called with a damaged stretch that was not known yet. */
export type OnDamage = (segment: Segment, damage: Damage) => void;

/** A reader's place in one segment; a read that goes on where the last one ended finds its bytes in memory. */
export class SegmentCursor {
  readonly segment: Segment;
  readonly #fd: number;
  readonly #scanner: FrameScanner;
  readonly #onDamage: OnDamage;
  #position: number;
  #next: number;
  /** Above every offset that stands before the position. */
  #floor: number;

  /** @param from the first offset wanted */
  constructor(segment: Segment, from: number, onDamage: OnDamage) {
    this.segment = segment;
    this.#onDamage = onDamage;
    this.#next = from;
    this.#position = segment.index.seek(from);
    this.#floor = segment.base;
    this.#fd = guarded('cannot open the segment', segment.path, () => openSync(segment.path, 'r'));
    const window = new FileWindow(this.#fd, segment.path, { chunkBytes: readChunkBytes, fresh: true });
    this.#scanner = new FrameScanner(window, segment.base);
  }

  /** The offset that the next record has at least. */
  get next(): number {
    return this.#next;
  }

  /** Goes to a position of the segment's index and takes all records from there on. */
  seek(position: number): void {
    this.#next = this.segment.base;
    this.#floor = this.segment.base;
    this.#position = position;
  }

  /** The next record from the wanted offset on; undefined at the end of the segment. */
  take(): LogRecord | undefined {
    const scanner = this.#scanner;
    while (this.#find()) {
      this.#position = scanner.end;
      this.#floor = scanner.offset + 1;
      if (scanner.offset < this.#next) continue;
      this.#next = scanner.offset + 1;
      return { offset: scanner.offset, time: scanner.time, body: scanner.body() };
    }
    return undefined;
  }

  /** Gives back a record that did not fit into what the reader asked for. */
  untake(): void {
    this.#position = this.#scanner.position;
    this.#next = this.#scanner.offset;
    this.#floor = this.#scanner.offset;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #find(): boolean {
    const { segment } = this;
    while (this.#position < segment.bytes) {
      if (this.#scanner.at(this.#position, segment.bytes, this.#floor, segment.lastOffset + 1)) return true;
      this.#position = this.#pass(this.#position);
    }
    return false;
  }

  /** Where reading goes on after a damaged stretch that begins here. */
  #pass(position: number): number {
    const { segment } = this;
    const known = segment.damage.find(({ position: at, bytes }) => at <= position && position < at + bytes);
    if (known !== undefined) return known.position + known.bytes;
    const next = this.#scanner.resync(position + 1, segment.bytes, this.#floor, segment.lastOffset + 1);
    const damage = { position, bytes: (next ?? segment.bytes) - position };
    this.#onDamage(segment, damage);
    return position + damage.bytes;
  }
}
