import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder } from '../../src/cli/data-folder.ts';
import { createEventBus } from '../../src/index.ts';

describe('the folder of a run', () => {
  const before = process.cwd();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'data-folder-'));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  /** A bus that runs in the folder of an earlier run without a name. */
  async function used() {
    const bus = createEventBus({ kind: 'embedded', dir: '.cryptorun' });
    await bus.start();
    return bus;
  }

  it('is the one that was named, with all that is in it', () => {
    writeFileSync('notes.txt', 'mine');
    expect(dataFolder(folder)).toBe(folder);
    expect(existsSync('notes.txt')).toBe(true);
  });

  it('is else .cryptorun, made afresh where an earlier run has left it', async () => {
    expect(dataFolder(undefined)).toBe('.cryptorun');
    await (await used()).stop();
    expect(existsSync('.cryptorun')).toBe(true);
    expect(dataFolder(undefined)).toBe('.cryptorun');
    expect(existsSync('.cryptorun')).toBe(false);
  });

  it('is refused while another run uses it, with what to do', async () => {
    const bus = await used();
    expect(() => dataFolder(undefined)).toThrow(
      `.cryptorun is in use by process ${process.pid}: end that one, or run this one with --dir PATH or --memory`,
    );
    await bus.stop();
  });

  it('is never emptied of what is not ours', () => {
    mkdirSync('.cryptorun');
    writeFileSync('.cryptorun/thesis.tex', 'years of work');
    expect(() => dataFolder(undefined)).toThrow(
      '.cryptorun holds thesis.tex, which is not of this program: move it away, or use --dir PATH',
    );
    expect(existsSync('.cryptorun/thesis.tex')).toBe(true);
  });
});
