import { Reader, crc32c as theirCrc32c, readRecordsBatch } from '@platformatic/kafka';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderValue } from '../../../../src/core/headers.ts';
import type { Compression, WireRecord } from '../../../../src/bus/kafka/driver.ts';
import { attribute, batchAt } from '../../../../src/bus/kafka/records/batch-format.ts';
import {
  type AbortedTransaction,
  BrokenBatch,
  readBatches,
} from '../../../../src/bus/kafka/records/batch-reader.ts';
import { type BatchSettings, writeBatch } from '../../../../src/bus/kafka/records/batch-writer.ts';
import { crc32c } from '../../../../src/bus/kafka/records/crc32c.ts';

const plain: BatchSettings = { compression: 'none', origin: undefined, timestamp: 1_600_000_000_000 };

const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 80 }));
const bytes = fc.uint8Array({ maxLength: 300 });
const record: fc.Arbitrary<WireRecord> = fc.record({
  key: fc.oneof(fc.constant(null), text, bytes),
  value: fc.oneof(fc.constant(null), bytes),
  headers: fc
    .array(fc.tuple(text, fc.oneof(text, bytes)), { maxLength: 4 })
    .map(pairs => pairs.flat() as HeaderValue[]),
});
const records = fc.array(record, { minLength: 1, maxLength: 20 });
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const toBytes = (part: HeaderValue | Uint8Array | null): Buffer | null =>
  part === null ? null : Buffer.from(part as Uint8Array);

function asBytes({ key, value, headers }: WireRecord): readonly (Buffer | null)[] {
  return [key, value, ...headers].map(toBytes);
}

/** As a broker gives offsets. */
async function at(
  baseOffset: number,
  written: readonly WireRecord[],
  settings: BatchSettings = plain,
): Promise<Buffer> {
  const batch = await writeBatch(written, settings);
  batch.writeBigInt64BE(BigInt(baseOffset), batchAt.baseOffset);
  return batch;
}

/** As a broker, or whoever breaks a batch, changes it: the checksum is right again. */
function changed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(crc32c(batch, batchAt.attributes), batchAt.crc);
  return batch;
}

const one = (value: string): WireRecord => ({ key: null, value: Buffer.from(value), headers: [] });

async function values(
  batches: readonly Buffer[],
  aborted: readonly AbortedTransaction[] = [],
): Promise<string[]> {
  const read = await readBatches(Buffer.concat(batches), aborted);
  return read.records.map(({ value }) => Buffer.from(value ?? []).toString());
}

describe('a record batch', () => {
  it.each(compressions)(
    'packed by %s is read as it was written, headers in their order',
    async compression => {
      await fc.assert(
        fc.asyncProperty(records, fc.nat({ max: 2 ** 40 }), async (written, base) => {
          const read = await readBatches(await at(base, written, { ...plain, compression }), []);
          expect(read.records.map(asBytes)).toEqual(written.map(asBytes));
          expect(read.records.map(({ offset }) => offset)).toEqual(written.map((_, i) => base + i));
          expect(new Set(read.records.map(({ timestamp }) => timestamp))).toEqual(new Set([plain.timestamp]));
          expect(read.nextOffset).toBe(base + written.length);
        }),
        { numRuns: 50 },
      );
    },
  );

  // Kills: a size in front of a record that takes more or less room than was kept for it.
  it('is read as it was written where sizes come to take one more byte', async () => {
    const around = (size: number): number[] => Array.from({ length: 16 }, (_, i) => size - 14 + i);
    const written = [64, 8_192, 2 ** 20].flatMap(around).flatMap(size => [
      { key: null, value: Buffer.alloc(size, 1), headers: [] },
      { key: 'a'.repeat(size), value: null, headers: [] },
      { key: `${'a'.repeat(size - 1)}ü`, value: null, headers: [] },
    ]);
    const { records } = await readBatches(await at(0, written), []);
    for (const [i, read] of records.entries())
      expect(asBytes(read).map(part => part?.toString('latin1'))).toEqual(
        asBytes(written[i]!).map(part => part?.toString('latin1')),
      );
    expect(records).toHaveLength(written.length);
  });

  it('gives text as text, and as bytes only what is none', async () => {
    const headers = ['a', 'grün', 'b', Buffer.from([0xff])];
    const [read] = (await readBatches(await at(0, [{ key: 'k', value: null, headers }]), [])).records;
    expect(read).toMatchObject({ key: 'k', headers });
  });

  it('carries whose it is and its number', async () => {
    const origin = {
      producerId: 9007199254740993n,
      producerEpoch: 3,
      firstSequence: 41,
      isTransactional: true,
    };
    const batch = await writeBatch([one('a')], { ...plain, origin });
    expect(batch.readBigInt64BE(batchAt.producerId)).toBe(9007199254740993n);
    expect(batch.readInt16BE(batchAt.producerEpoch)).toBe(3);
    expect(batch.readInt32BE(batchAt.baseSequence)).toBe(41);
    expect(batch.readInt16BE(batchAt.attributes)).toBe(attribute.transactional);
  });

  it('is what another reader of the format takes it for', async () => {
    const origin = { producerId: 77n, producerEpoch: 3, firstSequence: 1000, isTransactional: false };
    const written: WireRecord[] = [
      { key: 'k', value: null, headers: ['größe', 'x', 'n', Buffer.from([0, 255])] },
      { key: null, value: Buffer.alloc(20_000, 1), headers: [] },
    ];
    const data = await writeBatch(written, { ...plain, origin });
    const batch = readRecordsBatch(Reader.from(data));
    expect(batch).toMatchObject({
      producerId: 77n,
      producerEpoch: 3,
      firstSequence: 1000,
      firstTimestamp: BigInt(plain.timestamp),
      maxTimestamp: BigInt(plain.timestamp),
      lastOffsetDelta: 1,
      crc: theirCrc32c(data.subarray(batchAt.attributes)),
      length: data.length - 12,
    });
    expect(batch.records.map(({ key, value }) => [key, value])).toEqual([
      [Buffer.from('k'), null],
      [null, written[1]?.value],
    ]);
    expect(batch.records[0]?.headers).toEqual([
      [Buffer.from('größe'), Buffer.from('x')],
      [Buffer.from('n'), Buffer.from([0, 255])],
    ]);
  });

  it('has the time of the log where the topic is set so', async () => {
    const batch = changed(await at(0, [one('a'), one('b')]), bytesOf => {
      bytesOf.writeInt16BE(attribute.logAppendTime, batchAt.attributes);
      bytesOf.writeBigInt64BE(77n, batchAt.maxTimestamp);
    });
    expect((await readBatches(batch, [])).records.map(({ timestamp }) => timestamp)).toEqual([77, 77]);
  });
});

describe('several batches', () => {
  it('are read up to one that is cut off, wherever it is', async () => {
    const [first, second] = [await at(5, [one('a'), one('b')]), await at(7, [one('c')])];
    for (let cut = 0; cut < second.length; cut++) {
      expect(await values([first, second.subarray(0, cut)])).toEqual(['a', 'b']);
    }
    expect(await values([first, second])).toEqual(['a', 'b', 'c']);
  });

  it('end behind the last one, also where its last records are gone', async () => {
    const batch = changed(await at(5, [one('a')]), bytesOf =>
      bytesOf.writeInt32BE(9, batchAt.lastOffsetDelta),
    );
    expect(await readBatches(batch, [])).toMatchObject({ nextOffset: 15 });
    expect(await readBatches(Buffer.alloc(0), [])).toEqual({ records: [], nextOffset: undefined });
  });
});

describe('transactions', () => {
  const by = (producerId: number): BatchSettings => ({
    ...plain,
    origin: { producerId: BigInt(producerId), producerEpoch: 0, firstSequence: 0, isTransactional: true },
  });
  const mark = async (base: number, producerId: number): Promise<Buffer> =>
    changed(await at(base, [one('mark')], by(producerId)), batch =>
      batch.writeInt16BE(attribute.transactional | attribute.control, batchAt.attributes),
    );

  it('that were aborted are left out, others and what is in none are not, nor what comes behind the mark', async () => {
    const batches = [
      await at(0, [one('kept 7')], by(7)),
      await at(1, [one('aborted')], by(8)),
      await at(2, [one('no transaction')]),
      await at(3, [one('aborted too'), one('and this')], by(8)),
      await at(5, [one('kept 7 too')], by(7)),
      await mark(6, 8),
      await mark(7, 7),
      await at(8, [one('kept 8')], by(8)),
      await mark(9, 8),
    ];
    const aborted = [{ producerId: 8n, firstOffset: 1 }];
    expect(await values(batches, aborted)).toEqual(['kept 7', 'no transaction', 'kept 7 too', 'kept 8']);
    expect((await readBatches(Buffer.concat(batches), aborted)).nextOffset).toBe(10);
  });

  it('of one producer that was aborted twice are left out twice', async () => {
    const batches = [
      await at(0, [one('x')], by(8)),
      await mark(1, 8),
      await at(2, [one('kept')], by(8)),
      await mark(3, 8),
      await at(4, [one('y')], by(8)),
      await mark(5, 8),
    ];
    const aborted = [
      { producerId: 8n, firstOffset: 4 },
      { producerId: 8n, firstOffset: 0 },
    ];
    expect(await values(batches, aborted)).toEqual(['kept']);
  });
});

describe('a batch that is broken', () => {
  it('in any byte behind its checksum is refused, with its offset', async () => {
    const batch = await at(42, [one('abc')]);
    for (let byte = batchAt.attributes; byte < batch.length; byte++) {
      const broken = Buffer.from(batch);
      broken[byte] = (broken[byte] ?? 0) ^ 1;
      await expect(readBatches(broken, [])).rejects.toThrow(/offset 42 .*checksum/);
    }
  });

  it('of an older format is refused, and so is one that is shorter than its head', async () => {
    const old = await at(3, [one('a')]);
    old[batchAt.magic] = 1;
    await expect(readBatches(old, [])).rejects.toThrow(/offset 3 is of format 1/);
    const short = await at(3, [one('a')]);
    short.writeInt32BE(10, batchAt.length);
    await expect(readBatches(short, [])).rejects.toThrow(BrokenBatch);
  });

  it('never yields records past its end, whatever its bytes say', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.nat(), fc.nat({ max: 255 }), async (written, where, value) => {
        const batch = await at(0, written);
        const place = batchAt.records + (where % (batch.length - batchAt.records));
        const broken = changed(batch, bytesOf => (bytesOf[place] = value));
        const outcome = await readBatches(broken, []).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(BrokenBatch);
      }),
    );
  });
});
