import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '../readme/code-blocks.ts';

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Cryptorun {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The command line as a real process. */
export function cryptorun(...args: readonly string[]): Cryptorun {
  return cryptorunIn(process.cwd(), ...args);
}

/** The same, with this as its working directory. */
export function cryptorunIn(cwd: string, ...args: readonly string[]): Cryptorun {
  const main = join(projectFolder, 'src/cli/main.ts');
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stderr.on('data', chunk => (err += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, ended };
}
