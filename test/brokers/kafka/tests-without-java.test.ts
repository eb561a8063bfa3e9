import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compileCache } from '../../compile-cache.ts';
import { projectFolder } from '../../readme/code-blocks.ts';

const vitest = join(projectFolder, 'node_modules/vitest/vitest.mjs');
/** One that shares a broker, and one that starts some of its own. */
const files = ['harness', 'broker-script'].map(name => `test/integration/kafka/${name}.test.ts`);
const reason = 'Java is missing: install JDK 17 or newer, with "java" on the PATH';

interface Tested {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs them where no program at all is found; nothing else is of this run's environment, which may name brokers. */
async function tested(env: Readonly<Record<string, string>> = {}): Promise<Tested> {
  // What became of them is none of what the next run is to go by.
  const args = [vitest, 'run', '--cache=false', '--project', 'kafka', ...files];
  const child = spawn(process.execPath, args, {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/no-such-folder', NO_COLOR: '1', NODE_COMPILE_CACHE: compileCache, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

describe('npm test without Java', () => {
  // Kills: a run that ends as if all had been tested.
  it('skips what needs Kafka, and ends with why, and what to install', async () => {
    const { code, out, err } = await tested();
    expect(code, out + err).toBe(0);
    expect(out).toMatch(/Test Files +2 skipped \(2\)\n +Tests +(\d+) skipped \(\1\)/);
    for (const file of files) expect(out).toMatch(new RegExp(`^ +\\d  .* \\(${reason}\\): ${file}$`, 'm'));
    expect(out.trimEnd().split('\n').slice(-2)).toEqual(['', `Not all of Kafka was tested. ${reason}.`]);
  });

  // Kills: a build server that has lost its Java and is green ever after.
  it('fails each of them for that reason where CI is true', async () => {
    const { code, out, err } = await tested({ CI: 'true' });
    expect(code, out + err).toBe(1);
    expect(out).toMatch(/Test Files +2 failed \(2\)\n +Tests +(\d+) failed \(\1\)/);
    for (const file of files) expect(err).toContain(`FAIL  |kafka| ${file}`);
    expect(err).toContain(`Error: ${reason}`);
    expect(out.trimEnd().split('\n').at(-1)).toBe(`Not all of Kafka was tested. ${reason}.`);
  });
});
