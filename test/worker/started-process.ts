import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** A real process, what it has said so far, and its exit code. */
export interface StartedProcess {
  /** Resolves once the text has been said; rejects where the process ends before. */
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => boolean;
  readonly output: () => string;
  /** Where it has said that it serves HTTP. */
  readonly address: () => string;
}

export function started(...args: string[]): StartedProcess {
  return startedWith({}, ...args);
}

/** Runs Node until the test ends at the latest. */
export function startedWith(env: Readonly<Record<string, string>>, ...args: string[]): StartedProcess {
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  const wake = new Set<() => void>();
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output += String(chunk);
      for (const look of wake) look();
    });
  }
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!output.includes(text)) return;
        wake.delete(look);
        resolve();
      };
      wake.add(look);
      look();
      void ended.then(code => reject(new Error(`ended with ${code} before "${text}":\n${output}`)));
    });
  const address = (): string => /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '';
  return { said, ended, kill: (signal: NodeJS.Signals) => child.kill(signal), output: () => output, address };
}
