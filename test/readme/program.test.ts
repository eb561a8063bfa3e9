import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileBlock, codeBlocks, projectFolder } from './code-blocks.ts';

const ownSource = pathToFileURL(join(projectFolder, 'test/readme/own-source.ts')).href;

describe('README programs', () => {
  let folder = '';

  // Inside the project, so that rxjs and io-ts are found as they are by a user of the package.
  beforeAll(() => {
    mkdirSync(join(projectFolder, '.examples'), { recursive: true });
    folder = mkdtempSync(join(projectFolder, '.examples/readme-'));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(strictly));
    for (const name of programs) writeFileSync(join(folder, name), fileBlock(name));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the pipeline runs as it stands, again too, and prints what the README says', () => {
    for (let time = 0; time < 2; time++) {
      const printed = run(process.execPath, ['--import', ownSource, join(folder, 'alerts.ts')], folder);
      expect(codeBlocks('text')).toContain(printed);
    }
  });

  it('the pipeline is short', () => {
    const lines = fileBlock('alerts.ts').split('\n').slice(1);
    expect(lines.filter(line => line.trim() !== '').length).toBeLessThanOrEqual(24);
  });

  it.each(['averages.ts', 'payments.ts'])('%s prints what the README says', name => {
    const printed = run(process.execPath, ['--import', ownSource, join(folder, name)]);
    expect(codeBlocks('text')).toContain(printed);
  });

  // The last one lets real time go by.
  it.each([
    ['alerts.test.ts', 1],
    ['slow.test.ts', 2],
    ['acme.test.ts', 50],
  ])('the tests of %s pass as they stand', { timeout: 60_000 }, (name, least) => {
    const printed = run(process.execPath, ['--import', ownSource, join(folder, name)]);
    expect(printed).toMatch(/fail 0\n/);
    expect(Number(/pass (\d+)\n/.exec(printed)?.[1])).toBeGreaterThanOrEqual(least);
  });

  it('compile as strictly as TypeScript can', { timeout: 60_000 }, () => {
    const tsc = join(projectFolder, 'node_modules/typescript/bin/tsc');
    expect(run(process.execPath, [tsc, '-p', folder])).toBe('');
  });
});

const programs = [
  'alerts.ts',
  'alerts.test.ts',
  'averages.ts',
  'payments.ts',
  'slow.test.ts',
  'acme.test.ts',
] as const;

const strictly = {
  extends: '../../tsconfig.json',
  compilerOptions: { rootDir: '../..', isolatedDeclarations: false },
  include: ['*.ts'],
};

/** What a command prints, whether or not it fails. */
function run(file: string, args: readonly string[], cwd?: string): string {
  try {
    return execFileSync(file, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout);
    throw error;
  }
}
