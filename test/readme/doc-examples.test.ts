import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from './code-blocks.ts';
import { docExamples, programOf } from './doc-examples.ts';

const examples = docExamples();

describe('examples in doc comments', () => {
  let folder = '';
  let problems: readonly string[] = [];

  beforeAll(() => {
    mkdirSync(join(projectFolder, '.examples'), { recursive: true });
    folder = mkdtempSync(join(projectFolder, '.examples/run-'));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    for (const [i, example] of examples.entries())
      writeFileSync(join(folder, `e${i}.ts`), programOf(example));
    problems = compile(folder);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are found', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples.map(({ file }, i) => ({ file, i })))('compile: $file', ({ i }) => {
    expect(problems.filter(problem => problem.includes(`/e${i}.ts`))).toEqual([]);
  });
});

const settings = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    rootDir: '../..',
    isolatedDeclarations: false,
    declaration: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['*.ts'],
};

/** What the compiler complains of, a line each. */
function compile(folder: string): readonly string[] {
  try {
    const tsc = join(projectFolder, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return [];
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout).split('\n');
    throw error;
  }
}
