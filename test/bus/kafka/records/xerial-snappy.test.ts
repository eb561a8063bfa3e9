import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressXerial, decompressXerial } from '../../../../src/bus/kafka/records/xerial-snappy.ts';

const turned = (block: Buffer): Promise<Buffer> =>
  Promise.resolve(Buffer.from(block.map(byte => byte ^ 0xff)));

describe('snappy as Java frames it', () => {
  it('comes back whole, over as many blocks as it takes', async () => {
    const data = fc
      .uint8Array({ maxLength: 100 })
      .chain(bytes => fc.nat(2000).map(times => [bytes, times] as const));
    await fc.assert(
      fc.asyncProperty(data, async ([bytes, times]) => {
        const whole = Buffer.concat(Array<Uint8Array>(times).fill(bytes));
        expect((await decompressXerial(await compressXerial(whole, turned), turned)).equals(whole)).toBe(
          true,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('is read without a frame too, and refused where a block is cut short', async () => {
    expect(await decompressXerial(Buffer.from([1, 2]), turned)).toEqual(Buffer.from([0xfe, 0xfd]));
    const cut = (await compressXerial(Buffer.alloc(50), turned)).subarray(0, -1);
    await expect(decompressXerial(cut, turned)).rejects.toThrow('a snappy block of 50 bytes');
  });
});
