import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogError } from '../../src/log/log-error.ts';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { everything, openedLog, plain, record, recordsFrom, temporaryFolder } from './temporary-log.ts';

const isRoot = process.getuid?.() === 0;

/** A small file system of its own; undefined where this machine does not allow one. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

function thrownBy(action: () => unknown): LogError {
  try {
    action();
  } catch (error) {
    if (error instanceof LogError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

describe('a full disk', () => {
  it('refuses the batch, keeps what was there, and goes on once there is room', context => {
    const folder = smallDisk();
    if (folder === undefined) return context.skip('mounting a small file system needs root');
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(100_000));
    const log = openedLog(folder);
    const batch = (first: number): ReturnType<typeof recordsFrom> => recordsFrom(first, 7, 'x'.repeat(1000));
    let next = 0;
    const error = thrownBy(() => {
      for (; next < 10_000; next += 7) log.append(batch(next));
    });
    const path = join(folder, '00000000000000000000.log');
    expect(error).toMatchObject({ code: 'disk-full', path });
    expect(error.message).toContain('ENOSPC');
    expect(error.remedy).toContain('Free space');
    expect(next).toBeGreaterThan(50);
    expect([log.nextOffset, statSync(path).size]).toEqual([next, log.segments()[0]?.bytes]);
    expect(thrownBy(() => log.append(batch(next))).code).toBe('disk-full');
    expect(plain(everything(log))).toEqual(plain(recordsFrom(0, next, 'x'.repeat(1000))));
    rmSync(join(folder, 'ballast'));
    log.append(batch(next));
    const expected = plain(recordsFrom(0, next + 7, 'x'.repeat(1000)));
    expect(plain(everything(log))).toEqual(expected);
    log.close();
    const again = openedLog(folder);
    expect(plain(everything(again))).toEqual(expected);
    expect(again.tornTail).toBeUndefined();
  });

  it('does not keep damaged records from being passed over, nor a rewrite from failing cleanly', context => {
    const folder = smallDisk();
    if (folder === undefined) return context.skip('mounting a small file system needs root');
    const log = openedLog(folder, { segmentBytes: 1 });
    const body = 'x'.repeat(30_000);
    log.append(recordsFrom(0, 3, body));
    log.append(recordsFrom(3, 1));
    const path = join(folder, '00000000000000000000.log');
    const content = readFileSync(path);
    content[100]! ^= 1;
    writeFileSync(path, content);
    thrownBy(() => {
      for (let part = 0; ; part += 1) log.append(recordsFrom(4 + part, 1, 'y'.repeat(4000)));
    });
    expect(log.read(0, 3).map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(log.corruptions).toHaveLength(1);
    expect(thrownBy(() => log.rewrite(0, ({ offset }) => offset === 2)).code).toBe('disk-full');
    expect(log.read(0, 3).map(({ offset }) => offset)).toEqual([1, 2, 3]);
    log.close();
    expect(openedLog(folder).corruptions).toEqual(log.corruptions);
  });
});

describe('a folder that cannot be written', () => {
  it('on a read-only file system is an error of permission', context => {
    const folder = smallDisk();
    if (folder === undefined) return context.skip('mounting a small file system needs root');
    openSegmentLog(folder).close();
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const log = openedLog(folder);
    expect(thrownBy(() => log.append([record(0)]))).toMatchObject({ code: 'permission' });
    expect(log.nextOffset).toBe(0);
    expect(thrownBy(() => openSegmentLog(join(folder, 'new')))).toMatchObject({ code: 'permission' });
  });

  it('for want of rights is an error of permission', context => {
    if (isRoot) return context.skip('root may write everywhere');
    const folder = join(temporaryFolder(), 'closed');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const log = openedLog(folder);
    expect(thrownBy(() => log.append([record(0)]))).toMatchObject({ code: 'permission' });
  });

  it('because it is a file says so', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    for (const place of [path, join(path, 'below')]) {
      const error = thrownBy(() => openSegmentLog(place));
      expect(error).toMatchObject({ code: 'io', path: place });
      expect(error.remedy).toContain('A file stands where a folder is needed');
    }
  });
});
