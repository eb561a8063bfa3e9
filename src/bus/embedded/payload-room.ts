import type { Bytes } from '../../core/message.ts';

/** Small enough that the half-empty ones of many partitions are little, large enough for many payloads. */
const roomBytes = 32 * 1024;
/** Larger payloads have a buffer of their own. */
const largestShared = roomBytes / 4;

/**
 * Where the payloads of one partition in memory lie, one behind the other. As they come they lie in buffers that
 * Node shares among all that is encoded: a payload that is kept would keep its neighbours of other topics, which
 * are long gone.
 */
export class PayloadRoom {
  #room = Buffer.alloc(0);
  #used = 0;

  /** The payload, moved here unless its buffer is its own. */
  take(payload: Bytes): Bytes {
    if (payload === null || payload.length === 0) return payload;
    if (payload.buffer.byteLength === payload.length) return payload;
    const place = this.#placeFor(payload.length);
    place.set(payload);
    return place;
  }

  #placeFor(length: number): Buffer {
    if (length > largestShared) return Buffer.allocUnsafeSlow(length);
    if (this.#used + length > this.#room.length) {
      this.#room = Buffer.allocUnsafeSlow(roomBytes);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#room.subarray(start, this.#used);
  }
}
