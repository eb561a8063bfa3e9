import { isRight } from 'fp-ts/lib/Either.js';
import type { Message } from '../core/message.ts';
import { type AttemptsRecord, type SnapshotRecord, changelogOf } from './snapshot-format.ts';
import { type StoredUnit, storedUnitOf } from './stored-unit.ts';

interface Held {
  readonly record: SnapshotRecord;
  readonly bytes: number;
}

/** What one unit's part of a changelog holds, as far as it has been read. */
export class UnitCopy {
  readonly #decode: ReturnType<typeof changelogOf>['codec']['decode'];
  /** The newest record of each key. */
  readonly #records = new Map<string, Held>();
  /** From where to read on. */
  position = 0;
  /** Records read. */
  taken = 0;
  /** Of what it holds, as stored, keys included. */
  bytes = 0;

  constructor(pipeline: string) {
    const { codec } = changelogOf(pipeline);
    this.#decode = payload => codec.decode(payload);
  }

  /** @throws the codec's error where it is no record of a changelog */
  take({ key, payload, offset }: Message): void {
    // Two who read may be at it for a moment: one that lost the unit and one that keeps it warm.
    if (offset < this.position) return;
    this.position = offset + 1;
    this.taken++;
    if (key === null) return;
    this.bytes -= this.#records.get(key)?.bytes ?? 0;
    this.#records.delete(key);
    if (payload === null) return;
    const decoded = this.#decode(payload);
    if (!isRight(decoded)) throw decoded.left;
    const bytes = key.length + payload.length;
    this.#records.set(key, { record: decoded.right, bytes });
    this.bytes += bytes;
  }

  /** The last finished snapshot. */
  get stored(): StoredUnit {
    return storedUnitOf([...this.#records].map(([key, { record }]) => ({ key, record })));
  }

  /** What was tried, as of now. */
  get attempts(): readonly AttemptsRecord[] {
    return [...this.#records.values()].flatMap(({ record }) => (record.kind === 'attempts' ? [record] : []));
  }
}
