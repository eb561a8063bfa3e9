import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/*
 * Two slots that take turns, so that a write cut short leaves the other one: turn f64, offset f64, crc32 u32.
 */
const slotBytes = 24;
const summedBytes = 16;

interface Slot {
  readonly turn: number;
  readonly offset: number;
}

/** The offset up to which everything spilled is done with, in a file. */
export class DrainPosition {
  readonly #fd: number;
  readonly #fsync: boolean;
  readonly #slot: Buffer = Buffer.alloc(slotBytes);
  #turn = 0;
  #offset = 0;
  /** The file holds something, and none of it can be read. */
  readonly isDamaged: boolean;

  /** Opens the file, which is made where it is absent. @throws what the file system throws */
  constructor(path: string, fsync: boolean) {
    this.#fsync = fsync;
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    const slots = [0, 1].map(at => this.#read(at)).filter(slot => slot !== undefined);
    for (const { turn, offset } of slots) if (turn > this.#turn) [this.#turn, this.#offset] = [turn, offset];
    this.isDamaged = slots.length === 0 && fstatSync(this.#fd).size > 0;
  }

  get offset(): number {
    return this.#offset;
  }

  /** @throws what the file system throws, with the former offset still in force */
  store(offset: number): void {
    if (offset === this.#offset) return;
    const turn = this.#turn + 1;
    this.#slot.writeDoubleLE(turn, 0);
    this.#slot.writeDoubleLE(offset, 8);
    this.#slot.writeUInt32LE(crc32(this.#slot.subarray(0, summedBytes)), summedBytes);
    writeSync(this.#fd, this.#slot, 0, slotBytes, (turn % 2) * slotBytes);
    if (this.#fsync) fdatasyncSync(this.#fd);
    this.#turn = turn;
    this.#offset = offset;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(at: number): Slot | undefined {
    const read = readSync(this.#fd, this.#slot, 0, slotBytes, at * slotBytes);
    if (read < slotBytes) return undefined;
    if (crc32(this.#slot.subarray(0, summedBytes)) !== this.#slot.readUInt32LE(summedBytes)) return undefined;
    return { turn: this.#slot.readDoubleLE(0), offset: this.#slot.readDoubleLE(8) };
  }
}
