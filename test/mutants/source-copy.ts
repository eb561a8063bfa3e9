import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectFolder } from '../readme/code-blocks.ts';
import type { Mutant } from './mutants.ts';
import type { GuardingProperty } from './properties.ts';

/** How a property fared, and how long that took. A test that could not tell is `broken`. */
export interface Tried {
  readonly outcome: 'held' | 'failed' | 'broken';
  readonly seconds: number;
  readonly output: string;
}

const copied = [
  'src',
  'operators',
  'pipelines',
  'configs',
  'test',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  '.ci',
];
/** One for all, so that who is killed today is killed tomorrow. */
const seed = '1';

/** A copy of the sources in which one may change what one likes. */
export class SourceCopy {
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'cryptorun-mutants-'));
    for (const name of copied)
      cpSync(join(projectFolder, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Does something while the copy is patched. @throws Error where what is to be patched does not stand there once */
  async mutated<A>({ name, file, was, is }: Mutant, work: () => Promise<A>): Promise<A> {
    const path = join(this.#folder, file);
    const source = readFileSync(path, 'utf8');
    const places = source.split(was).length - 1;
    if (places !== 1)
      throw new Error(
        `mutant "${name}": ${file} has ${places} times, instead of once:\n${was}\npatch it anew`,
      );
    writeFileSync(
      path,
      source.replace(was, () => is),
    );
    try {
      return await work();
    } finally {
      writeFileSync(path, source);
    }
  }

  /** Runs a property, so often or as often as by default. */
  async try({ file, test }: GuardingProperty, runs?: number): Promise<Tried> {
    const began = performance.now();
    const pattern = `${test.replace(/[^\w ]/g, '.')}$`;
    const vitest = join(projectFolder, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', '--root', this.#folder, '--project', 'brokerless', file, '-t', pattern];
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        SEED: seed,
        SHRINK: 'no',
        RUNS: runs === undefined ? '' : String(runs),
      },
    });
    const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join('\n');
    return { outcome: outcomeOf(output), seconds: (performance.now() - began) / 1000, output };
  }
}

/** One that did not run, or failed for another reason than that the property does not hold, tells nothing. */
function outcomeOf(output: string): Tried['outcome'] {
  if (/Tests +1 passed/.test(output)) return 'held';
  return /Tests +1 failed/.test(output) && output.includes('Property failed after') ? 'failed' : 'broken';
}
