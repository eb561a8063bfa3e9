import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSegmentLog, type SegmentLog } from '../../src/log/segment-log.ts';
import { everything, openedLog, plain, recordsFrom, temporaryFolder } from './temporary-log.ts';

const options = { segmentBytes: 10_000, indexEveryBytes: 500 };

function filled(folder: string): SegmentLog {
  const log = openedLog(folder, options);
  for (let first = 0; first < 1000; first += 50) log.append(recordsFrom(first, 50));
  return log;
}

describe('rewriting a sealed segment', () => {
  it('keeps the chosen records under their offsets', () => {
    const folder = temporaryFolder();
    const log = filled(folder);
    const [first, second] = log.segments();
    log.read(0, 3);
    const gone = log.rewrite(first!.base, ({ offset }) => offset % 10 === 7);
    const expected = recordsFrom(0, 1000).filter(({ offset }) => offset >= second!.base || offset % 10 === 7);
    expect(gone).toBe(1000 - expected.length);
    expect(plain(everything(log))).toEqual(plain(expected));
    expect(plain(log.read(8, 2))).toEqual(plain(expected.slice(1, 3)));
    expect([log.firstOffset, log.nextOffset]).toEqual([7, 1000]);
    expect(log.segments()[0]!.bytes).toBeLessThan(first!.bytes / 5);
    log.close();
    const again = openedLog(folder, options);
    expect(plain(everything(again))).toEqual(plain(expected));
    expect(again.corruptions).toEqual([]);
    expect(again.offsetAtTime(20_000)).toBe(27);
  });

  it('can be repeated, and costs nothing where all records stay', () => {
    const log = filled(temporaryFolder());
    expect(log.rewrite(0, ({ offset }) => offset > 10)).toBe(11);
    expect(log.rewrite(0, ({ offset }) => offset > 10)).toBe(0);
    expect(log.rewrite(0, ({ offset }) => offset > 20)).toBe(10);
    expect(log.firstOffset).toBe(21);
  });

  it('deletes a file that keeps nothing', () => {
    const folder = temporaryFolder();
    const log = filled(folder);
    const [, second, third] = log.segments();
    log.rewrite(second!.base, () => false);
    expect(log.segments().map(({ base }) => base)).not.toContain(second!.base);
    expect(log.read(second!.base, 1)[0]?.offset).toBe(third!.base);
    log.close();
    expect(openedLog(folder, options).read(second!.base, 1)[0]?.offset).toBe(third!.base);
  });

  it('leaves everything as it was where the choice throws', () => {
    const folder = temporaryFolder();
    const log = filled(folder);
    const names = readdirSync(folder);
    const failing = (): boolean => {
      throw new Error('no choice');
    };
    expect(() => log.rewrite(0, failing)).toThrow('no choice');
    expect(readdirSync(folder)).toEqual(names);
    expect(plain(everything(log))).toEqual(plain(recordsFrom(0, 1000)));
  });

  it('refuses the segment that is being written to', () => {
    const log = filled(temporaryFolder());
    expect(() => log.rewrite(log.segments().at(-1)!.base, () => true)).toThrow(RangeError);
    expect(() => log.rewrite(1, () => true)).toThrow('No sealed segment');
  });

  it('that never ended is forgotten at the next open', () => {
    const folder = temporaryFolder();
    filled(folder).close();
    const left = join(folder, '00000000000000000000.log.rewrite');
    const foreign = join(folder, 'notes.rewrite');
    writeFileSync(left, 'half a segment');
    writeFileSync(foreign, 'not ours');
    expect(plain(everything(openSegmentLog(folder, { readOnly: true })))).toHaveLength(1000);
    expect(existsSync(left)).toBe(true);
    expect(plain(everything(openedLog(folder, options)))).toEqual(plain(recordsFrom(0, 1000)));
    expect([existsSync(left), existsSync(foreign)]).toEqual([false, true]);
  });
});
