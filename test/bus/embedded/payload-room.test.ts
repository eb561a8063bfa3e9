import { describe, expect, it } from 'vitest';
import { PayloadRoom } from '../../../src/bus/embedded/payload-room.ts';

/** A payload as encoders make it: a piece of a buffer that others share. */
const pieceOf = (size: number, fill: number): Buffer =>
  Buffer.alloc(size + 100, fill).subarray(50, 50 + size);

describe('PayloadRoom', () => {
  it('keeps the bytes, whatever becomes of where they came from', () => {
    const room = new PayloadRoom();
    const sizes = [1, 200, 8_192, 8_193, 31_000, 100_000, 3, 7_000, 7_000, 7_000, 7_000, 7_000];
    const given = sizes.map((size, i) => pieceOf(size, i + 1));
    const kept = given.map(payload => room.take(payload));
    for (const payload of given) payload.fill(0xff);
    expect(
      kept.map(payload => payload && [payload.length, payload.every(byte => byte === payload[0])]),
    ).toEqual(sizes.map(size => [size, true]));
    expect(kept.map(payload => payload?.[0])).toEqual(sizes.map((_, i) => i + 1));
  });

  // Kills: one short payload that is kept keeps megabytes of its neighbours' memory.
  it('lets payloads share a little memory with their neighbours of the partition, and none with others', () => {
    const shared = Buffer.alloc(1024 * 1024);
    const [one, other] = [new PayloadRoom(), new PayloadRoom()];
    const first = one.take(shared.subarray(0, 100));
    const second = one.take(shared.subarray(100, 200));
    const elsewhere = other.take(shared.subarray(200, 300));
    expect(second?.buffer).toBe(first?.buffer);
    expect(new Set([shared.buffer, first?.buffer, elsewhere?.buffer]).size).toBe(3);
    expect(first?.buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
  });

  it('leaves alone what is alone already, and what is nothing', () => {
    const room = new PayloadRoom();
    const alone = new Uint8Array(500);
    expect(room.take(alone)).toBe(alone);
    expect(room.take(null)).toBeNull();
    expect(room.take(new Uint8Array(0))).toHaveLength(0);
  });
});
