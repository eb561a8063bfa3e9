import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogError } from '../../src/log/log-error.ts';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { everything, openedLog, plain, record, recordsFrom, temporaryFolder } from './temporary-log.ts';

describe('a segment log', () => {
  it('gives back what was appended, also to the next who opens it', () => {
    const folder = temporaryFolder();
    const records = [
      ...recordsFrom(0, 3),
      { offset: 3, time: -5.5, body: new Uint8Array(0) },
      { offset: 4, time: 7, body: Uint8Array.from({ length: 256 }, (_, at) => at) },
    ];
    const log = openSegmentLog(folder);
    log.append(records.slice(0, 2));
    log.append([]);
    log.append(records.slice(2));
    expect(plain(everything(log))).toEqual(plain(records));
    log.close();
    const again = openedLog(folder);
    expect(plain(everything(again))).toEqual(plain(records));
    expect([again.firstOffset, again.nextOffset, again.corruptions, again.tornTail]).toEqual([
      0,
      5,
      [],
      undefined,
    ]);
  });

  it('begins empty, wherever its folder is', () => {
    const log = openedLog(join(temporaryFolder(), 'a', 'b'));
    expect([log.firstOffset, log.nextOffset, log.segments(), log.read(0, 10)]).toEqual([0, 0, [], []]);
    expect(log.offsetAtTime(0)).toBeUndefined();
  });

  it('begins at any offset', () => {
    const log = openedLog(temporaryFolder());
    log.append([record(2 ** 52)]);
    expect([log.firstOffset, log.nextOffset]).toEqual([2 ** 52, 2 ** 52 + 1]);
    expect(plain(log.read(0, 1))).toEqual(plain([record(2 ** 52)]));
  });

  it('keeps gaps and reads on behind them', () => {
    const log = openedLog(temporaryFolder());
    log.append([record(5), record(9), record(10)]);
    log.append([record(100)]);
    expect(log.read(6, 2).map(({ offset }) => offset)).toEqual([9, 10]);
    expect(log.read(11, 2).map(({ offset }) => offset)).toEqual([100]);
    expect(log.read(101, 2)).toEqual([]);
    expect(log.read(7, 9).map(({ offset }) => offset)).toEqual([9, 10, 100]);
  });

  it('rolls to a new file named after its first offset', () => {
    const folder = temporaryFolder();
    const log = openedLog(folder, { segmentBytes: 200 });
    for (let offset = 0; offset < 10; offset += 1) log.append([record(offset)]);
    const names = readdirSync(folder).filter(name => name.endsWith('.log'));
    expect(names).toEqual(['00000000000000000000.log', '00000000000000000006.log']);
    expect(log.segments().map(({ base, count }) => [base, count])).toEqual([
      [0, 6],
      [6, 4],
    ]);
    expect(log.segments().every(({ bytes }) => bytes <= 200)).toBe(true);
    expect(plain(everything(log))).toEqual(plain(recordsFrom(0, 10)));
  });

  it('takes a batch larger than a segment whole', () => {
    const log = openedLog(temporaryFolder(), { segmentBytes: 100 });
    log.append(recordsFrom(0, 50));
    log.append(recordsFrom(50, 1));
    expect(log.segments().map(({ count }) => count)).toEqual([50, 1]);
    expect(log.read(0, Infinity)).toHaveLength(51);
  });

  it('takes bodies larger than what it reads at a time', () => {
    const folder = temporaryFolder();
    const bodies = [1, 3_000_000, 2, 9_000_000].map(length => new Uint8Array(length).fill(length % 251));
    const log = openedLog(folder);
    bodies.forEach((body, offset) => log.append([{ offset, time: 0, body }]));
    for (const each of [log, openedLog(folder, { readOnly: true })]) {
      const read = everything(each);
      expect(read.map(({ body }) => body.length)).toEqual(bodies.map(({ length }) => length));
      expect(read.every(({ body, offset }) => Buffer.compare(body, bodies[offset]!) === 0)).toBe(true);
    }
  });

  it('keeps earlier bodies intact while later ones are read and written', () => {
    const log = openedLog(temporaryFolder());
    log.append(recordsFrom(0, 20_000));
    const first = log.read(0, 10);
    log.read(10, 19_990);
    log.append(recordsFrom(20_000, 10));
    expect(plain(first)).toEqual(plain(recordsFrom(0, 10)));
  });

  it('stops at the number of records and bytes, with one record at least', () => {
    const log = openedLog(temporaryFolder());
    const body = new Uint8Array(100);
    log.append(Array.from({ length: 10 }, (_, offset) => ({ offset, time: 0, body })));
    const count = (from: number, records: number, bytes?: number): number =>
      log.read(from, records, bytes).length;
    expect([count(0, 3), count(0, 0), count(0, 99, 250), count(2, 99, 200), count(4, 99, 1)]).toEqual([
      3, 0, 2, 2, 1,
    ]);
    expect(log.read(5, 99, 1)[0]?.offset).toBe(5);
  });

  it('reads as it was written for any batches, sizes and readers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.uint8Array()), { maxLength: 8 }), {
          maxLength: 20,
        }),
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 9 }))),
        (batches, segmentBytes, indexEveryBytes, reads) => {
          const folder = temporaryFolder();
          const log = openSegmentLog(folder, { segmentBytes, indexEveryBytes });
          let offset = 0;
          const all = batches.map(batch =>
            batch.map(([gap, body]) => ({ offset: (offset += gap), time: offset, body })),
          );
          all.forEach(batch => log.append(batch));
          const again = openSegmentLog(folder, { segmentBytes, indexEveryBytes });
          for (const each of [log, again])
            for (const [from, count] of reads) {
              const expected = all.flat().filter(one => one.offset >= from);
              expect(plain(each.read(from, count))).toEqual(plain(expected.slice(0, count)));
            }
          log.close();
          again.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('serves readers at many places at once', () => {
    const log = openedLog(temporaryFolder(), { segmentBytes: 4000 });
    log.append(recordsFrom(0, 40));
    for (let batch = 1; batch < 25; batch += 1) log.append(recordsFrom(40 * batch, 40));
    const places = Array.from({ length: 9 }, (_, reader) => reader * 100);
    for (let round = 0; round < 20; round += 1)
      places.forEach((from, reader) => {
        const read = log.read(from, 7);
        expect(plain(read)).toEqual(plain(recordsFrom(from, Math.min(7, 1000 - from))));
        places[reader] = from + read.length;
      });
  });

  it('sees what is appended after it reached the end', () => {
    const log = openedLog(temporaryFolder(), { segmentBytes: 300 });
    for (let offset = 0; offset < 100; offset += 1) {
      expect(log.read(offset, 10)).toEqual([]);
      log.append([record(offset)]);
      expect(plain(log.read(offset, 10))).toEqual(plain([record(offset)]));
    }
  });

  it('refuses offsets that do not ascend, odd times and long bodies, and stores nothing of their batch', () => {
    const log = openedLog(temporaryFolder(), { maxRecordBytes: 30 });
    log.append(recordsFrom(0, 5));
    expect(() => log.append([record(4)])).toThrow(
      'Offset 4 cannot be appended: the next one must be an integer from 5 on.',
    );
    expect(() => log.append([record(6), record(6)])).toThrow(RangeError);
    expect(() => log.append([record(5.5)])).toThrow(RangeError);
    expect(() => log.append([record(5, NaN)])).toThrow('Record 5: time NaN');
    expect(() => log.append([record(5), record(6, 0, 'x'.repeat(40))])).toThrow('maxRecordBytes (30)');
    expect(log.nextOffset).toBe(5);
    log.append([record(5)]);
    expect(plain(everything(log))).toEqual(plain(recordsFrom(0, 6)));
  });

  it('can be forced to the disk, by call or with every batch', () => {
    const folder = temporaryFolder();
    const log = openSegmentLog(folder, { segmentBytes: 100 });
    log.append(recordsFrom(0, 4));
    log.append(recordsFrom(4, 4));
    log.sync();
    log.close();
    const strict = openedLog(folder, { segmentBytes: 100, fsync: 'batch' });
    strict.append(recordsFrom(8, 4));
    expect(plain(everything(strict))).toEqual(plain(recordsFrom(0, 12)));
  });

  it('cannot be used once closed', () => {
    const log = openSegmentLog(temporaryFolder());
    log.append([record(0)]);
    log.close();
    log.close();
    expect(() => log.append([record(1)])).toThrow('is closed');
    expect(() => log.read(0, 1)).toThrow('is closed');
  });

  it('opened for reading changes nothing', () => {
    const folder = temporaryFolder();
    const writer = openedLog(folder, { segmentBytes: 100 });
    writer.append(recordsFrom(0, 3));
    writer.append(recordsFrom(3, 3));
    const before = readdirSync(folder);
    const reader = openedLog(folder, { readOnly: true });
    expect(plain(everything(reader))).toEqual(plain(recordsFrom(0, 6)));
    expect(() => reader.append([record(6)])).toThrow(LogError);
    expect(() => reader.dropBefore(3)).toThrow('Open it without readOnly');
    expect(readdirSync(folder)).toEqual(before);
    expect(() => openSegmentLog(join(folder, 'none'), { readOnly: true })).toThrow(LogError);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('the time index', () => {
  it('finds the first record at or after a time, even where times go back', () => {
    const times = [10, 20, 15, 30, 5, 30, 40, 12, 50];
    for (const options of [{ indexEveryBytes: 1 }, { segmentBytes: 120, indexEveryBytes: 1 }, {}]) {
      const log = openedLog(temporaryFolder(), options);
      times.forEach((time, offset) => log.append([record(offset, time)]));
      for (let time = 0; time <= 51; time += 1) {
        const expected = times.findIndex(at => at >= time);
        expect(log.offsetAtTime(time)).toBe(expected < 0 ? undefined : expected);
      }
    }
  });

  it('survives in the index file', () => {
    const folder = temporaryFolder();
    const options = { segmentBytes: 1000, indexEveryBytes: 100 };
    const log = openSegmentLog(folder, options);
    for (let offset = 0; offset < 100; offset += 1) log.append([record(offset)]);
    const info = log.segments();
    log.close();
    const again = openedLog(folder, options);
    expect(again.segments()).toEqual(info);
    expect(info[0]).toMatchObject({ base: 0, firstTime: 0, lastTime: (info[0]!.count - 1) * 1000 });
    for (const offset of [0, 1, 33, 50, 98, 99]) expect(again.offsetAtTime(offset * 1000 - 500)).toBe(offset);
  });
});
