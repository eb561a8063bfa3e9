import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface JavaProcess {
  readonly pid: number;
  /** What ended it, such as "exit code 1" or "SIGKILL". */
  readonly ended: Promise<string>;
  signal(name: NodeJS.Signals): void;
}

export interface JavaSettings {
  /** Its output is appended there. */
  readonly logFile: string;
  /** A folder that is of no use without this process: removed where this process is killed. */
  readonly temporary?: string | undefined;
}

/**
 * The shell starts a watchdog before it becomes Java, under the same process id, so that there is no moment without.
 * The watchdog waits for a line on a pipe; where the pipe ends without one, its writer has died.
 */
const script = `(read -r line <&3 || {
  kill -9 $$
  [ -z "$0" ] || { sleep 1; rm -rf "$0"; }
}) &
exec java "$@" 3<&-`;

/** Runs Java, which never outlives this process, whatever ends that. */
export async function runJava(args: readonly string[], settings: JavaSettings): Promise<JavaProcess> {
  const log = openSync(settings.logFile, 'a');
  // A session of its own keeps the Ctrl-C meant for this process from Java and the watchdog.
  const child = spawn('sh', ['-c', script, settings.temporary ?? '', ...args], {
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

/** An error about Java that shows how its log ends. */
export async function javaError(what: string, logFile: string): Promise<Error> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return new Error(`${what}; ${logFile} ends with\n${lines.slice(-20).join('\n')}`);
}
