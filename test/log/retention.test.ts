import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { everything, openedLog, plain, record, recordsFrom, temporaryFolder } from './temporary-log.ts';

const options = { segmentBytes: 1 };
const logFiles = (folder: string): number => readdirSync(folder).filter(name => name.endsWith('.log')).length;

describe('dropping old records', () => {
  it('deletes whole segments below the offset', () => {
    const folder = temporaryFolder();
    const log = openedLog(folder, options);
    for (let first = 0; first < 50; first += 10) log.append(recordsFrom(first, 10));
    expect(log.read(0, 5)).toHaveLength(5);
    expect(log.dropBefore(9)).toBe(0);
    expect(log.dropBefore(29)).toBe(20);
    expect([log.firstOffset, log.nextOffset, logFiles(folder)]).toEqual([20, 50, 3]);
    expect(readdirSync(folder).some(name => name.startsWith('00000000000000000010'))).toBe(false);
    expect(plain(log.read(3, 2))).toEqual(plain(recordsFrom(20, 2)));
    expect(log.offsetAtTime(0)).toBe(20);
  });

  it('of everything leaves an empty log that remembers its place', () => {
    const folder = temporaryFolder();
    const log = openSegmentLog(folder, options);
    log.append(recordsFrom(0, 10));
    log.append(recordsFrom(10, 10));
    expect(log.dropBefore(20)).toBe(20);
    expect([log.firstOffset, log.nextOffset, everything(log)]).toEqual([20, 20, []]);
    expect(log.dropBefore(1000)).toBe(0);
    log.close();
    const again = openedLog(folder, options);
    expect([again.firstOffset, again.nextOffset, logFiles(folder)]).toEqual([20, 20, 1]);
    expect(() => again.append([record(19)])).toThrow(RangeError);
    again.append([record(20)]);
    expect(plain(everything(again))).toEqual(plain([record(20)]));
  });
});

describe('the next offset of an empty log', () => {
  it('can be raised, and stays', () => {
    const folder = temporaryFolder();
    const log = openSegmentLog(folder);
    log.setNextOffset(500);
    log.setNextOffset(700);
    log.setNextOffset(700);
    expect([log.firstOffset, log.nextOffset, logFiles(folder)]).toEqual([700, 700, 1]);
    log.close();
    const again = openedLog(folder);
    expect(again.nextOffset).toBe(700);
    again.append([record(705)]);
    expect([again.firstOffset, again.nextOffset]).toEqual([705, 706]);
  });

  it('cannot be lowered, nor set where there are records', () => {
    const log = openedLog(temporaryFolder());
    log.setNextOffset(5);
    expect(() => log.setNextOffset(4)).toThrow('an integer from 5 on');
    expect(() => log.setNextOffset(5.5)).toThrow(RangeError);
    log.append([record(5)]);
    expect(() => log.setNextOffset(50)).toThrow('the log must be empty');
  });
});
