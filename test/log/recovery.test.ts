import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/log/frame.ts';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { everything, openedLog, plain, record, recordsFrom, temporaryFolder } from './temporary-log.ts';

const firstFile = '00000000000000000000.log';

/** Files of ten records each; returns where every frame of the first file starts. */
function written(folder: string, records: readonly LogRecord[], segmentBytes = 1): number[] {
  const log = openSegmentLog(folder, { segmentBytes });
  for (let at = 0; at < records.length; at += 10) log.append(records.slice(at, at + 10));
  log.close();
  let position = 0;
  return records.map(({ body }) => (position += 24 + body.length) - 24 - body.length);
}

function flip(path: string, bit: number): void {
  const content = readFileSync(path);
  content[bit >> 3]! ^= 1 << (bit & 7);
  writeFileSync(path, content);
}

describe('a torn end', () => {
  const records = recordsFrom(0, 5, 'of some length');

  it('is cut off wherever it tore', () => {
    const folder = temporaryFolder();
    const starts = written(folder, records, 1e6);
    const path = join(folder, firstFile);
    const whole = readFileSync(path);
    const last = starts[4]!;
    for (let size = last; size < whole.length; size += 1) {
      writeFileSync(path, whole.subarray(0, size));
      const reader = openSegmentLog(folder, { readOnly: true });
      expect(plain(everything(reader))).toEqual(plain(records.slice(0, 4)));
      expect(statSync(path).size).toBe(size);
      reader.close();
      const log = openSegmentLog(folder);
      const torn = size === last ? undefined : { path, position: last, bytes: size - last };
      expect([log.tornTail, log.corruptions, log.nextOffset]).toEqual([torn, [], 4]);
      expect(statSync(path).size).toBe(last);
      log.append([record(4), record(5)]);
      expect(plain(everything(log))).toEqual(plain([...records.slice(0, 4), record(4), record(5)]));
      log.close();
    }
    expect(readdirSync(folder)).toEqual([firstFile]);
  });

  it('is cut off where a whole batch tore', () => {
    const folder = temporaryFolder();
    const starts = written(folder, records, 1e6);
    const path = join(folder, firstFile);
    const whole = readFileSync(path);
    for (let size = 0; size < whole.length; size += 1) {
      writeFileSync(path, whole.subarray(0, size));
      const log = openSegmentLog(folder);
      const intact = starts.filter((_, at) => (starts[at + 1] ?? whole.length) <= size).length;
      expect(plain(everything(log))).toEqual(plain(records.slice(0, intact)));
      log.close();
    }
  });

  it('of zeros, as a loss of power leaves it, is cut off', () => {
    const folder = temporaryFolder();
    written(folder, records, 1e6);
    appendFileSync(join(folder, firstFile), Buffer.alloc(10_000));
    const log = openedLog(folder);
    expect([log.tornTail?.bytes, log.corruptions, log.nextOffset]).toEqual([10_000, [], 5]);
  });

  it('that may have been a record is kept beside the segment', () => {
    const folder = temporaryFolder();
    const starts = written(folder, records, 1e6);
    const path = join(folder, firstFile);
    const lost = { path, position: starts[4]!, bytes: statSync(path).size - starts[4]! };
    flip(path, (starts[4]! + 30) * 8);
    const bytes = readFileSync(path).subarray(starts[4]);
    const log = openedLog(folder);
    expect([log.corruptions, log.tornTail]).toEqual([[lost], lost]);
    expect(plain(everything(log))).toEqual(plain(records.slice(0, 4)));
    expect(readFileSync(`${path}.corrupt-${starts[4]}`).equals(bytes)).toBe(true);
  });
});

describe('damage', () => {
  const records = recordsFrom(0, 40);

  it('anywhere loses the record it hit and no other, and returns none that was not written', () => {
    fc.assert(
      fc.property(
        fc.nat(9),
        fc.nat(1_000_000),
        fc.boolean(),
        fc.boolean(),
        (segment, at, single, indexed) => {
          const folder = temporaryFolder();
          const starts = written(folder, records, single ? 1e6 : 1);
          const names = readdirSync(folder).filter(name => name.endsWith('.log'));
          const path = join(folder, names[segment % names.length]!);
          const bit = at % (statSync(path).size * 8);
          flip(path, bit);
          if (!indexed)
            names.forEach(name => rmSync(join(folder, name.replace('.log', '.index')), { force: true }));
          const base = single ? 0 : (segment % names.length) * 10;
          const hit = starts.findLastIndex(start => start - starts[base]! <= bit >> 3);
          const log = openSegmentLog(folder);
          const expected = plain(records.filter(({ offset }) => offset !== hit));
          expect(plain(everything(log))).toEqual(expected);
          expect(plain(log.read(hit + 1, 5))).toEqual(plain(records.slice(hit + 1, hit + 6)));
          if (hit < 39)
            expect(log.corruptions).toMatchObject([{ path, position: starts[hit]! - starts[base]! }]);
          const kept = readdirSync(folder).filter(isSetAside);
          expect(kept.length).toBe(log.corruptions.length);
          log.close();
          const again = openSegmentLog(folder);
          expect(plain(everything(again))).toEqual(expected);
          expect(readdirSync(folder).filter(isSetAside).length).toBe(log.corruptions.length);
          again.close();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of any kind never stops the log from opening, and invents no record', () => {
    const chosen = new Map(plain(records).map(one => [one.offset, one]));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.nat(2000), fc.uint8Array({ maxLength: 80 })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.boolean(),
        (patches, readOnly) => {
          const folder = temporaryFolder();
          written(folder, records);
          const before = new Map<number, number>();
          for (const [segment, at, bytes] of patches) {
            const path = join(folder, `${String(segment * 10).padStart(20, '0')}.log`);
            const content = readFileSync(path);
            const position = Math.min(at, content.length);
            writeFileSync(
              path,
              Buffer.concat([
                content.subarray(0, position),
                bytes,
                content.subarray(position + bytes.length),
              ]),
            );
            before.set(segment, Math.min(position, before.get(segment) ?? Infinity));
          }
          const log = openSegmentLog(folder, { readOnly });
          const read = plain(everything(log));
          for (const one of read) expect(one).toEqual(chosen.get(one.offset));
          const offsets = read.map(({ offset }) => offset);
          expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
          for (let segment = 0; segment < 4; segment += 1)
            for (let at = 0, end = 0; at < 10; at += 1) {
              end += 24 + records[segment * 10 + at]!.body.length;
              if (end <= (before.get(segment) ?? Infinity)) expect(offsets).toContain(segment * 10 + at);
            }
          log.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('does not bring up a record that lay inside another as its body', () => {
    const folder = temporaryFolder();
    const inner = openSegmentLog(join(folder, 'inner'));
    inner.append(recordsFrom(0, 3));
    inner.close();
    const frames = readFileSync(join(folder, 'inner', firstFile));
    const log = openSegmentLog(folder);
    log.append([{ offset: 0, time: 0, body: frames }, record(7)]);
    log.close();
    flip(join(folder, firstFile), 1);
    expect(plain(everything(openedLog(folder)))).toEqual(plain([record(7)]));
  });

  it('found while reading is listed, set aside and passed over by every reader', () => {
    const folder = temporaryFolder();
    const starts = written(folder, records);
    const path = join(folder, firstFile);
    const log = openedLog(folder);
    flip(path, (starts[3]! + 10) * 8);
    const expected = plain(records.filter(({ offset }) => offset !== 3));
    expect(plain(everything(log))).toEqual(expected);
    expect(plain(everything(log))).toEqual(expected);
    expect(log.corruptions).toEqual([{ path, position: starts[3], bytes: starts[4]! - starts[3]! }]);
    expect(existsSync(`${path}.corrupt-${starts[3]}`)).toBe(true);
    expect(existsSync(path.replace('.log', '.index'))).toBe(false);
    expect(log.rewrite(0, () => true)).toBe(1);
    expect(plain(everything(log))).toEqual(expected);
    log.close();
    expect(openedLog(folder).corruptions).toEqual([]);
  });

  it('to a file cut short under an open log is an error that says so', () => {
    const folder = temporaryFolder();
    written(folder, records);
    const log = openedLog(folder);
    truncateSync(join(folder, firstFile), 50);
    expect(() => log.read(0, 100)).toThrow(expect.objectContaining({ name: 'LogError', code: 'corrupt' }));
    const again = openedLog(folder);
    expect(everything(again).map(({ offset }) => offset)).toEqual([
      0,
      ...records.slice(10).map(one => one.offset),
    ]);
    expect(again.corruptions).toHaveLength(1);
  });

  it('to an index file costs a scan', () => {
    const folder = temporaryFolder();
    written(folder, records);
    const index = join(folder, firstFile.replace('.log', '.index'));
    const good = readFileSync(index);
    for (const bad of [Buffer.alloc(0), good.subarray(8), Buffer.concat([good, good]), Buffer.alloc(1e6)]) {
      writeFileSync(index, bad);
      const log = openSegmentLog(folder);
      expect(plain(everything(log))).toEqual(plain(records));
      expect(readFileSync(index).equals(good)).toBe(true);
      log.close();
    }
    for (let bit = 0; bit < good.length * 8; bit += 7) {
      writeFileSync(index, good);
      flip(index, bit);
      const log = openSegmentLog(folder);
      expect([log.firstOffset, log.segments()[0]?.count]).toEqual([0, 10]);
      log.close();
    }
  });
});

function isSetAside(name: string): boolean {
  return name.includes('.corrupt-');
}
