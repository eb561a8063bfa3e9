import { fork } from 'node:child_process';
import * as t from 'io-ts';

/** How a process ended: with a code, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker as a process of its own. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Where it serves health and metrics; never settles where it ends before. */
  readonly url: Promise<string>;
  readonly ended: Promise<Ending>;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
}

export interface WorkerProgram {
  readonly script: string;
  readonly args: readonly string[];
  /** Flags of Node. */
  readonly execArgv: readonly string[];
  /** The files of ours that its standard output and error go to, as descriptors. */
  readonly output: readonly [stdout: number, stderr: number];
}

const Serving = t.type({ serving: t.string });

/**
 * Starts a worker with a channel to us, over which it tells its URL, and by whose end it learns that we are gone.
 * Keys typed in our terminal, as Ctrl-C, do not reach it: it is for us to tell it what they mean.
 */
export function forkWorker({ script, args, execArgv, output }: WorkerProgram): WorkerProcess {
  const child = fork(script, args, {
    execArgv: [...execArgv],
    stdio: ['ignore', ...output, 'ipc'],
    detached: true,
  });
  return {
    pid: child.pid,
    url: new Promise(resolve => {
      child.on('message', message => {
        if (Serving.is(message)) resolve(message.serving);
      });
    }),
    ended: new Promise(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.on('error', () => {
        if (child.pid === undefined) resolve({ code: 1, signal: null });
      });
    }),
    kill: signal => void child.kill(signal),
  };
}
