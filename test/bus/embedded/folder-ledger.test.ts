import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FolderLedger } from '../../../src/bus/embedded/folder-ledger.ts';
import type { SegmentLogOptions } from '../../../src/log/segment-log.ts';
import { smallDisk, temporaryFolder } from './temporary-bus.ts';

function opened(folder: string, options: SegmentLogOptions = {}): FolderLedger {
  const ledger = new FolderLedger();
  ledger.open(folder, options);
  onTestFinished(() => ledger.close());
  return ledger;
}

const contents = (ledger: FolderLedger): Record<string, string | undefined> =>
  Object.fromEntries(ledger.names().map(name => [name, ledger.get(name)]));

const bytesIn = (folder: string): number =>
  readdirSync(folder)
    .filter(name => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

describe('the ledger of a folder', () => {
  it('keeps what was set and flushed, the newest of each name, and nothing that was deleted', () => {
    const folder = temporaryFolder();
    const ledger = opened(folder);
    ledger.set('a', '1');
    ledger.set('b', 'text with \u0000 inside, é');
    ledger.set('gone', 'x');
    ledger.flush();
    ledger.set('a', '2');
    ledger.delete('gone');
    ledger.delete('never there');
    ledger.flush();
    const killed = opened(folder, { readOnly: true });
    expect(contents(killed)).toEqual({ a: '2', b: 'text with \u0000 inside, é' });
  });

  it('flushes what is still on its way when it is closed', () => {
    const folder = temporaryFolder();
    const ledger = opened(folder);
    ledger.set('a', '1');
    ledger.close();
    expect(contents(opened(folder))).toEqual({ a: '1' });
  });

  it('outlives a torn tail', () => {
    const folder = temporaryFolder();
    const ledger = opened(folder);
    ledger.set('a', '1');
    ledger.close();
    appendFileSync(join(folder, '00000000000000000000.log'), Buffer.from([40, 0, 0, 0, 1, 2, 3]));
    const again = opened(folder);
    expect(contents(again)).toEqual({ a: '1' });
    again.set('b', '2');
    again.close();
    expect(contents(opened(folder))).toEqual({ a: '1', b: '2' });
  });

  it('is written anew at open and while it runs, so that it stays small', () => {
    const folder = temporaryFolder();
    const ledger = opened(folder);
    for (let i = 0; i < 500; i++) {
      ledger.set('group/g/topic/0', String(i));
      ledger.flush();
    }
    ledger.close();
    const before = bytesIn(folder);
    const again = opened(folder);
    expect(bytesIn(folder)).toBeLessThan(before / 100);
    const filler = 'x'.repeat(100_000);
    for (let i = 0; i < 100; i++) {
      again.set('large', `${filler}${i}`);
      again.flush();
      expect(bytesIn(folder)).toBeLessThan(1_500_000);
    }
    again.close();
    expect(contents(opened(folder))).toEqual({ 'group/g/topic/0': '499', large: `${filler}99` });
  });

  it('changes nothing when opened for reading', () => {
    const folder = temporaryFolder();
    const ledger = opened(folder);
    ledger.set('a', '1');
    ledger.close();
    const before = bytesIn(folder);
    const reading = opened(folder, { readOnly: true });
    reading.set('a', '2');
    reading.flush();
    expect(reading.get('a')).toBe('2');
    reading.close();
    expect(bytesIn(folder)).toBe(before);
  });

  it('keeps what a full disk refused for the next flush', context => {
    const folder = smallDisk('64k');
    if (folder === undefined) return context.skip('mounting a small file system needs root');
    const ledger = opened(folder);
    ledger.set('kept', '1');
    ledger.flush();
    ledger.set('large', 'x'.repeat(80_000));
    expect(() => ledger.flush()).toThrow(/the ledger: cannot append .*ENOSPC.*Free space/s);
    ledger.set('large', 'small');
    ledger.flush();
    expect(contents(opened(folder, { readOnly: true }))).toEqual({ kept: '1', large: 'small' });
  });
});
