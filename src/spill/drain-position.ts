import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { guarded } from '../log/log-error.ts';

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
  readonly #path: string;
  readonly #fd: number;
  readonly #fsync: boolean;
  readonly #slot: Buffer = Buffer.alloc(slotBytes);
  #turn = 0;
  #offset = 0;
  /** The file holds something, and none of it can be read. */
  readonly isDamaged: boolean;

  /** Opens the file, which is made where it is absent. @throws LogError */
  constructor(path: string, fsync: boolean) {
    this.#path = path;
    this.#fsync = fsync;
    this.#fd = guarded('cannot open', path, () =>
      openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666),
    );
    const slots = [0, 1].map(at => this.#read(at)).filter(slot => slot !== undefined);
    for (const { turn, offset } of slots) if (turn > this.#turn) [this.#turn, this.#offset] = [turn, offset];
    const isNew = fstatSync(this.#fd).size === 0;
    this.isDamaged = slots.length === 0 && !isNew;
    // Room for both slots is taken now: a full disk must not keep the position from being stored.
    if (isNew) for (const turn of [1, 2]) this.#write(turn, 0);
  }

  get offset(): number {
    return this.#offset;
  }

  /** @throws LogError with the former offset still in force */
  store(offset: number): void {
    if (offset !== this.#offset) this.#write(this.#turn + 1, offset);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(turn: number, offset: number): void {
    this.#slot.writeDoubleLE(turn, 0);
    this.#slot.writeDoubleLE(offset, 8);
    this.#slot.writeUInt32LE(crc32(this.#slot.subarray(0, summedBytes)), summedBytes);
    guarded('cannot store the position', this.#path, () => {
      writeSync(this.#fd, this.#slot, 0, slotBytes, (turn % 2) * slotBytes);
      if (this.#fsync) fdatasyncSync(this.#fd);
    });
    this.#turn = turn;
    this.#offset = offset;
  }

  #read(at: number): Slot | undefined {
    const read = readSync(this.#fd, this.#slot, 0, slotBytes, at * slotBytes);
    if (read < slotBytes) return undefined;
    if (crc32(this.#slot.subarray(0, summedBytes)) !== this.#slot.readUInt32LE(summedBytes)) return undefined;
    return { turn: this.#slot.readDoubleLE(0), offset: this.#slot.readDoubleLE(8) };
  }
}
