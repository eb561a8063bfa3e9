import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { once } from 'node:events';

export interface JavaProcess {
  readonly pid: number;
  /** What ended it, such as "exit code 1" or "SIGKILL". */
  readonly ended: Promise<string>;
  signal(name: NodeJS.Signals): void;
}

/**
 * Runs Java with its output appended to a file. It never outlives this process, whatever ends that: a watchdog waits
 * for a line on a pipe, and kills where the pipe ends without one. The shell starts it before it becomes Java, so there
 * is no moment without it, and the process id is the same. A session of its own keeps Ctrl-C from Java and watchdog.
 */
export async function runJava(args: readonly string[], logFile: string): Promise<JavaProcess> {
  const script = '(read -r line <&3 || kill -9 $$) & exec java "$@" 3<&-';
  const log = openSync(logFile, 'a');
  const child = spawn('sh', ['-c', script, 'sh', ...args], {
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  closeSync(log);
  await once(child, 'spawn');
  const { pid } = child;
  const watchdog = child.stdio[3];
  if (pid === undefined || watchdog === null || watchdog === undefined || !('write' in watchdog)) {
    throw new Error('sh started without a process id or a pipe');
  }
  const ended = new Promise<string>(resolve => {
    child.once('exit', (code, signal) => {
      watchdog.end('ended\n');
      resolve(signal ?? `exit code ${String(code)}`);
    });
  });
  return { pid, ended, signal: name => void child.kill(name) };
}
